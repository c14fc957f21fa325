# What `docker-compose up --build` runs once: deploys the functions on LocalStack, starts an execution, and ends with it.
FROM node:24.9.0-bookworm-slim

WORKDIR /lakelet
RUN chown node:node /lakelet
USER node

# The packages first: they change less often than the sources.
COPY --chown=node:node package.json package-lock.json .npmrc ./
RUN npm ci --include=dev

COPY --chown=node:node . .

CMD ["node", "localstack/compose/run.ts"]
