// The rooms of the house, lowest first. A room may import from the rooms on the lines above its own, and from itself;
// rooms of one line are siblings and do not know each other.
const FLOORS = [
  ['lib/(aws|concurrency|config|errors|files|logger|progress)[.]ts'],
  ['lib/process/'],
  ['lib/storage/'],
  ['lib/delta/'],
  ['lib/duckdb/'],
  ['lib/forest/', 'lib/mlflow/'],
  ['lib/quality/'],
  ['lib/report/', 'lib/serving/'],
  ['lib/pipeline/'],
  ['datasets/'],
  ['lib/workflow/'],
  ['lib/api/'],
  ['lib/cli/'],
  ['functions/'],
  ['bin/'],
  ['localstack/'],
  ['tests/', 'bench/'],
];

function upward(floor) {
  return FLOORS[floor].map((room) => {
    const others = [
      ...FLOORS.slice(floor + 1).flat(),
      ...FLOORS[floor].filter((sibling) => sibling !== room),
      // lib is handed a dataset; it never reaches for one
      ...(room.startsWith('lib/') &&
      !FLOORS.slice(floor + 1)
        .flat()
        .includes('datasets/')
        ? ['datasets/']
        : []),
    ];
    return {
      name: `${room.replace(/\W+$/, '')} imports only from below`,
      severity: 'error',
      from: { path: `^${room}` },
      to: { path: others.map((other) => `^${other}`) },
    };
  });
}

export default {
  forbidden: [
    ...FLOORS.flatMap((_, floor) => upward(floor)).filter((rule) => rule.to.path.length > 0),
    {
      name: 'a file of lib belongs to a room',
      comment: 'Add a new room to FLOORS, at the height where it stands.',
      severity: 'error',
      from: {},
      to: { path: '^(lib|bin|functions|datasets)/', pathNot: FLOORS.flat().map((room) => `^${room}`) },
    },
    {
      name: 'no cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'imports resolve',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'lib/delta knows nothing of DuckDB or AWS',
      severity: 'error',
      from: { path: '^lib/delta/' },
      to: { path: 'node_modules/(@duckdb|@aws-sdk|@smithy|@middy)/' },
    },
    {
      name: 'what ships needs only production dependencies',
      severity: 'error',
      from: { path: '^(lib|bin|functions|datasets)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
        // An optional peer, which is loaded where a model needs it, and installed here for the tests.
        pathNot: '^node_modules/onnxruntime-web/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // functions/package.json is a Lambda's; what it needs stands in the project's.
    combinedDependencies: true,
    exclude: { path: '^(dist|[.]esbuild|[.]venv|[.]emulators|lib/forest/kernel/assembly)/' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    moduleSystems: ['es6', 'cjs'],
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
