// `npm run offline`: sets up what is missing, then serves the functions and the HTTP API through serverless-offline.
import { stay } from './stay.mjs';

stay('offline', 'offline-command.ts');
