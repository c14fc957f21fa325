// The functions of the HTTP API by stage: none on LocalStack, whose free edition has no HTTP API.

/** For serverless.yml: the functions that stand beside the steps of the pipeline. */
export async function functions({ resolveVariable }) {
  const stage = await resolveVariable('sls:stage');
  if (stage === 'local') return {};
  if (stage === 'offline') {
    return {
      api: { ...API, events: [{ httpApi: '*' }] },
      // Takes the place of Step Functions, which serverless-offline has not.
      execute: { handler: 'functions/execute.handler', memorySize: 3008 },
    };
  }
  return {
    api: {
      ...API,
      role: 'ApiRole',
      environment: { STATE_MACHINE_ARN: { Ref: 'StateMachine' } },
      events: [{ httpApi: { method: '*', path: '*', authorizer: { type: 'aws_iam' } } }],
    },
  };
}

/** 29 s, since an HTTP API gives up after 30. */
const API = { handler: 'functions/api.handler', timeout: 29 };
