/** A finding of a policy check that is accepted, and why. One that is found no more has to go, too. */
export interface Accepted {
  /** The check's id, Checkov's or cfn-lint's. */
  readonly check: string;
  /** The logical ids of the resources. */
  readonly resources: RegExp;
  readonly reason: string;
}

const FUNCTIONS = /LambdaFunction$/;

/** What is accepted on AWS. */
export const ACCEPTED: readonly Accepted[] = [
  {
    check: 'CKV_AWS_115',
    resources: FUNCTIONS,
    reason: 'Concurrency is bounded by the Map of the definition; reserving it would take it from the whole account.',
  },
  {
    check: 'CKV_AWS_116',
    resources: FUNCTIONS,
    reason: 'Nobody invokes the functions asynchronously; runs that fail go to the dead letters.',
  },
  {
    check: 'CKV_AWS_117',
    resources: FUNCTIONS,
    reason:
      'They talk to S3 alone (and an MLflow server, if any); a VPC would need a NAT gateway or endpoints, for nothing.',
  },
  {
    check: 'CKV_AWS_173',
    resources: FUNCTIONS,
    reason:
      "Lambda encrypts the environment by AWS's own key; it holds no secret but an MLflow token, if one is given.",
  },
  {
    check: 'CKV_AWS_158',
    resources: /LogGroup$/,
    reason: 'CloudWatch encrypts logs by its own key; they hold counts, names and errors, and no rows of a table.',
  },
  {
    check: 'CKV_AWS_18',
    resources: /^(ServerlessDeploymentBucket|LakeBucket)$/,
    reason: 'Access logs need a bucket of their own, which is for the account to have; CloudTrail tells the same.',
  },
  {
    check: 'CKV_AWS_21',
    resources: /^ServerlessDeploymentBucket$/,
    reason: 'Each package has a name of its own; nothing there is ever overwritten.',
  },
  {
    check: 'CKV_AWS_26',
    resources: /^Alarms$/,
    reason: "Alarms can't publish to a topic under AWS's own key; the messages hold an alarm's name and nothing else.",
  },
  {
    check: 'CKV_AWS_27',
    resources: /^DeadLetters$/,
    reason: 'It is encrypted, by the keys of SQS itself, which this check does not know.',
  },
  {
    check: 'CKV_AWS_95',
    resources: /^HttpApiStage$/,
    reason: 'The function logs its requests itself, and IAM answers for who may call it.',
  },
  {
    check: 'W3005',
    resources: /./,
    reason: 'Serverless writes dependencies that CloudFormation would find by itself.',
  },
];
