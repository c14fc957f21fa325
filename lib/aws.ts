/** What the configuration of an SDK client tells of where its service is. */
interface ClientSettings {
  readonly region: () => Promise<string>;
  readonly serviceConfiguredEndpoint?: (() => Promise<string | undefined>) | undefined;
}

/** Where a service is. */
export interface AwsPlace {
  /** The address that is set, for an emulator or another server; undefined on AWS. */
  readonly endpoint: string | undefined;
  readonly region: string;
  /** For messages: the endpoint, or AWS and the region. */
  readonly place: string;
}

/**
 * Where the SDK's own settings (environment and profiles) put a service. Where no region is set it is us-east-1, which
 * emulators take.
 */
export async function awsPlace(settings: ClientSettings): Promise<AwsPlace> {
  const endpoint = await settings.serviceConfiguredEndpoint?.();
  // The SDK fails where no region is set, and the empty string counts as one for it.
  const configured = await settings.region().catch(() => '');
  const region = configured === '' ? 'us-east-1' : configured;
  return { endpoint, region, place: endpoint ?? `AWS (${region})` };
}
