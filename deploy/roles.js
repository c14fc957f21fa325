// One role a function, each with what its step does on the lake and no more. The folders are the lake's layers.
const RECORDS = '.lakelet';
const ACCESS = {
  Bronze: { name: 'bronze', reads: ['bronze', 'ops'], writes: ['bronze', 'ops'] },
  Silver: { name: 'silver', reads: ['bronze', 'silver', 'ops'], writes: ['silver', 'ops'] },
  // Trainings are recorded beside the tables where there is no MLflow server.
  Gold: { name: 'gold', reads: ['silver', 'gold', 'ops', RECORDS], writes: ['gold', 'ops', RECORDS] },
  // Models are looked up in the records where there is no MLflow server.
  Predict: { name: 'predict', reads: [RECORDS], writes: [] },
  RecordFailure: { name: 'record-failure', reads: ['ops'], writes: ['ops'] },
};

/** The HTTP API reads all of the lake, and keeps its own records of the runs that it starts. */
const API = { name: 'api', reads: [''], writes: ['ops/executions'] };

/**
 * The roles of the functions, by their logical ids (`BronzeRole`, …).
 *
 * @param lake `stage`; `bucket`, a name or a reference; `prefix`, the lake's in it; `aws`, whether there is an HTTP API
 */
export function rolesOf(lake) {
  const roles = Object.entries(ACCESS).map(([id, access]) => [`${id}Role`, functionRole({ ...lake, ...access })]);
  if (lake.aws) roles.push(['ApiRole', functionRole({ ...lake, ...API, more: starting(lake.stage) })]);
  return Object.fromEntries(roles);
}

/** What starts the state machine and follows its executions. */
function starting(stage) {
  const arn = (kind, suffix) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:states:\${AWS::Region}:\${AWS::AccountId}:${kind}:lakelet-${stage}${suffix}`,
  });
  return [
    { Effect: 'Allow', Action: 'states:StartExecution', Resource: arn('stateMachine', '') },
    { Effect: 'Allow', Action: 'states:DescribeExecution', Resource: arn('execution', ':*') },
  ];
}

function functionRole({ stage, name, bucket, prefix, reads, writes, more = [] }) {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Principal: { Service: 'lambda.amazonaws.com' },
          },
        ],
      },
      Policies: [
        {
          PolicyName: `lakelet-${stage}-${name}`,
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              logs(`lakelet-${stage}-${name}`),
              ...onLake({ bucket, prefix, reads, writes }),
              tracing,
              ...more,
            ],
          },
        },
      ],
    },
  };
}

/** Its own log group, which the stack makes. */
function logs(name) {
  return {
    Effect: 'Allow',
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: {
      'Fn::Sub': `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${name}:*`,
    },
  };
}

/** X-Ray knows no resources to name. */
const tracing = {
  Effect: 'Allow',
  Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
  Resource: '*',
};

/** Also deletes what it staged itself for a commit that was lost. */
function writing(objects) {
  const actions = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:DeleteObject'];
  return { Effect: 'Allow', Action: actions, Resource: objects };
}

function onLake({ bucket, prefix, reads, writes }) {
  const under = (layer) => [prefix, layer, '*'].filter((part) => part !== '').join('/');
  const arn = (suffix) => ({
    'Fn::Sub': [`arn:\${AWS::Partition}:s3:::\${Bucket}${suffix}`, { Bucket: bucket }],
  });
  return [
    { Effect: 'Allow', Action: 's3:GetObject', Resource: reads.map((layer) => arn(`/${under(layer)}`)) },
    ...(writes.length === 0 ? [] : [writing(writes.map((layer) => arn(`/${under(layer)}`)))]),
    {
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: arn(''),
      // IfExists: a request for an object that is not there is answered with 404 only to who may list, and such a request
      // has no prefix; without it, it would be answered with 403.
      Condition: { StringLikeIfExists: { 's3:prefix': reads.map(under) } },
    },
  ];
}
