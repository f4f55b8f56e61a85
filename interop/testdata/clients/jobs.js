'use strict';
// The jobs of jobs_test.go, by libraries of Node.js that live on scripts:
//
//	node jobs.js host:port,host:port {tag}
//
// Jobs are made until the standard input ends, then all have to be done. The exit code
// is 0 if every one was, once; what was done goes to the standard output.

const { Queue, Worker } = require('bullmq');
const { Cluster } = require('ioredis');
const { createCluster } = require('redis');

const nodes = process.argv[2].split(',').map((a) => ({ host: a.split(':')[0], port: Number(a.split(':')[1]) }));
const tag = process.argv[3];
let stopping = false;
process.stdin.on('end', () => { stopping = true; });
process.stdin.resume();

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const cluster = () => new Cluster(nodes, { slotsRefreshInterval: 500, redisOptions: { maxRetriesPerRequest: null } }).on('error', () => {});

// insist does something again until it succeeds: it is told when writes are refused.
let refused = 0;
async function insist(what) {
  for (;;) {
    try {
      return await what();
    } catch (e) {
      refused++;
      await pause(50);
    }
  }
}

function must(ok, what) {
  if (!ok) throw new Error(what);
}

// bullmq promises that each job runs at least once, and again only if the worker could
// not say in time that it has run: then the job's number of starts tells of it.
async function bullmq() {
  const connection = cluster();
  const queue = new Queue('jobs', { connection, prefix: tag });
  queue.on('error', () => {});
  const runs = new Map();
  const worker = new Worker('jobs', async (job) => { runs.set(job.id, (runs.get(job.id) || 0) + 1); }, {
    connection: cluster(), prefix: tag, concurrency: 8,
    lockDuration: 4000, stalledInterval: 1000, maxStalledCount: 1000, runRetryDelay: 200, drainDelay: 1,
  });
  worker.on('error', () => {});
  let made = 0;
  for (; !stopping; made++) {
    await insist(() => queue.add('work', { made }, { jobId: 'job-' + made }));
    await pause(5);
  }
  const counts = () => insist(() => queue.getJobCounts('waiting', 'active', 'completed', 'failed', 'delayed'));
  let c = await counts();
  for (const end = Date.now() + 20000; c.completed < made && Date.now() < end; c = await counts()) await pause(100);
  must(c.completed === made, `bullmq: ${made} jobs were made: ${JSON.stringify(c)}`);
  let again = 0;
  for (let n = 0; n < made; n++) {
    const id = 'job-' + n;
    const times = runs.get(id) || 0;
    must(times > 0, `bullmq: ${id} never ran`);
    if (times > 1) {
      again++;
      const job = await insist(() => queue.getJob(id));
      must(times <= job.attemptsStarted, `bullmq: ${id} ran ${times} times, and was started ${job.attemptsStarted} times`);
    }
  }
  return `bullmq ${made}, again ${again}`;
}

// once does each of its jobs once, however often it is sent.
const once = "if redis.call('sadd', KEYS[1], ARGV[1]) == 1 then redis.call('rpush', KEYS[2], ARGV[1]) end return redis.call('llen', KEYS[2])";

async function scripts(name, run, list) {
  let n = 0;
  for (; !stopping; n++) {
    const length = await insist(() => run(`${tag}${name}:set`, `${tag}${name}:list`, String(n)));
    must(Number(length) === n + 1, `${name}: job ${n} made it ${length}`);
    await pause(2);
  }
  const all = await insist(() => list(`${tag}${name}:list`));
  must(all.length === n && all.every((v, i) => Number(v) === i), `${name}: ${n} jobs, ${all.length} were done`);
  return `${name} ${n}`;
}

async function ioredis() {
  const c = cluster();
  c.defineCommand('once', { numberOfKeys: 2, lua: once });
  return scripts('ioredis', (set, list, n) => c.once(set, list, n), (key) => c.lrange(key, 0, -1));
}

async function nodeRedis() {
  const c = createCluster({ rootNodes: nodes.map((n) => ({ url: `redis://${n.host}:${n.port}` })), maxCommandRedirections: 16 });
  c.on('error', () => {});
  await c.connect();
  return scripts('node-redis', (set, list, n) => c.eval(once, { keys: [set, list], arguments: [n] }), (key) => c.lRange(key, 0, -1));
}

Promise.all([bullmq(), ioredis(), nodeRedis()]).then((done) => {
  console.log(done.join(', ') + `, refused ${refused}`);
  process.exit(0);
}, (e) => {
  console.error(e.stack);
  process.exit(1);
});
