"""Predicts each row of a float32 matrix file with an ONNX model in onnxruntime: model, matrix, output; writes float32."""

import sys

import numpy
import onnx
import onnxruntime

model, matrix, output = sys.argv[1:4]
onnx.checker.check_model(onnx.load(model), full_check=True)
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
(given,) = session.get_inputs()
(told,) = session.get_outputs()
assert given.type == "tensor(float)" and told.type == "tensor(float)" and told.shape[1] == 1
rows = numpy.fromfile(matrix, dtype="<f4").reshape(-1, given.shape[1])
(predicted,) = session.run(None, {given.name: rows})
assert predicted.shape == (len(rows), 1)
alone = [session.run(None, {given.name: row[None, :]})[0][0, 0] for row in rows[:20]]
numpy.testing.assert_allclose(alone, predicted[:20, 0], rtol=1e-5)
predicted.astype("<f4").tofile(output)
