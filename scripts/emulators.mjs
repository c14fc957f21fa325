// `npm run emulators`: sets up what is missing, then starts LocalStack, MLflow and perhaps MinIO, and stays.
import { stay } from './stay.mjs';

stay('emulators', 'emulators-command.ts');
