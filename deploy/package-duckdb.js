// A plugin of Serverless: takes DuckDB and ONNX Runtime, which can't be bundled, from the project's node_modules into the
// package.
// (serverless-esbuild would ask npm to install it again, over the network, for whatever machine it runs on.)
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Lambda's names of them by Node's. */
const ARCHITECTURES = { x64: 'x86_64', arm64: 'arm64' };

/** What Lambda calls the architecture that Node calls `arch`. */
export function architectureOf(arch) {
  return ARCHITECTURES[arch] ?? 'x86_64';
}

/**
 * The packages that DuckDB consists of on a Lambda of `architecture`.
 *
 * @param folder the project's
 * @throws Failure where the one with the native code is not installed
 */
function duckdbPackages(folder, architecture, Failure) {
  const arch = Object.keys(ARCHITECTURES).find((name) => ARCHITECTURES[name] === architecture);
  const binding = `@duckdb/node-bindings-linux-${arch}`;
  if (arch === undefined || !existsSync(join(folder, 'node_modules', binding, 'duckdb.node'))) {
    const { version } = JSON.parse(
      readFileSync(join(folder, 'node_modules/@duckdb/node-bindings/package.json'), 'utf8'),
    );
    throw new Failure(
      `DuckDB for Linux on ${architecture} is not in node_modules: get it by npm install --no-save --force ${binding}@${version}, or choose an architecture by --param architecture=x86_64 or arm64.`,
    );
  }
  return ['@duckdb/node-api', '@duckdb/node-bindings', binding, 'detect-libc'];
}

/** The runtime for models of other makers, where it is installed: what of it runs in Node. */
function runtimeFiles(folder) {
  const files = [
    'package.json',
    'dist/ort.wasm.bundle.min.mjs',
    'dist/ort-wasm-simd-threaded.mjs',
    'dist/ort-wasm-simd-threaded.wasm',
  ];
  const paths = files.map((file) => `node_modules/onnxruntime-web/${file}`);
  return paths.every((path) => existsSync(join(folder, path))) ? paths : [];
}

export default class PackageDuckdb {
  constructor(serverless) {
    this.hooks = {
      initialize: () => {
        // Away from where `invoke local` and serverless-offline run, since packaging cleans up behind itself.
        const packages = ['package', 'deploy'].includes(serverless.processedInput.commands[0]);
        if (packages) serverless.service.custom.esbuild.outputWorkFolder = '.esbuild/package';
      },
      // Stands before serverless-esbuild in the list of plugins, so that it comes before it here, too.
      'before:package:createDeploymentArtifacts': () => {
        const { service, config } = serverless;
        const packages = duckdbPackages(config.serviceDir, service.provider.architecture, serverless.classes.Error);
        service.package.patterns.push(
          ...runtimeFiles(config.serviceDir),
          ...packages.flatMap((name) => [`node_modules/${name}/**`, `!node_modules/${name}/**/*.{md,map,d.ts}`]),
        );
      },
    };
  }
}
