import { parseService, serviceSettings } from '../../localstack/settings.ts';

const FILE = `
x-common: &common
  REGION: \${REGION:-us-east-1}
services:
  server:
    image: nothing/here:1.0
    command: ["serve", "--address=\${LISTEN:-0.0.0.0}:\${PORT-9000}", "\${DATA:-/data}", "$$HOME", 7]
    environment:
      <<: *common
      OFF: "0"
      NUMBER: 5
      EMPTY:
  bare: {}
  wrong:
    command: [ "\${NAME}" ]
  odd:
    command: [ "$NAME" ]
  text:
    command: serve all
`;

describe('parseService', () => {
  it('has the defaults where nothing is given, merges included', () => {
    expect(parseService(FILE, 'server', {})).toEqual({
      command: ['serve', '--address=0.0.0.0:9000', '/data', '$HOME', '7'],
      environment: { REGION: 'us-east-1', OFF: '0', NUMBER: '5', EMPTY: '' },
    });
  });

  it('puts what is given in its place, as it is', () => {
    const variables = { LISTEN: '127.0.0.1', PORT: '', DATA: `/a folder/$&/\${b}`, REGION: '' };
    expect(parseService(FILE, 'server', variables)).toMatchObject({
      command: ['serve', '--address=127.0.0.1:', `/a folder/$&/\${b}`, '$HOME', '7'],
      environment: { REGION: 'us-east-1' },
    });
  });

  it('takes a service without either', () => {
    expect(parseService(FILE, 'bare', {})).toEqual({ command: [], environment: {} });
  });

  it.each([
    ['a service that is not there', 'missing', 'services.missing is not a mapping'],
    ['a variable without a value', 'wrong', `\${NAME} in \${NAME} has no value`],
    ['what it does not know', 'odd', '$ in $NAME has no value'],
    ['a command in one string', 'text', 'services.text.command is not a list'],
  ])('refuses %s', (_, service, message) => {
    expect(() => parseService(FILE, service, {})).toThrow(message);
  });
});

describe('serviceSettings', () => {
  it('reads docker-compose.yml', async () => {
    const { command } = await serviceSettings('minio', { MINIO_LISTEN: '127.0.0.1:9', MINIO_DATA: '/here' });
    expect(command).toEqual(expect.arrayContaining(['server', '127.0.0.1:9', '/here']));
  });

  it('says in one line what is wrong with it', async () => {
    await expect(serviceSettings('postgres', {})).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
      message: expect.stringContaining('how to start postgres'),
    });
  });
});
