'use strict';
// The jobs of jobs_test.go, by a library of Node.js that lives on scripts:
//
//	node jobs.js bullmq|ioredis|node-redis host:port,host:port {tag}
//
// Jobs are made until the standard input ends, then all have to be done. What was done
// goes to the standard output as JSON. The exit code is 0 if every job was done, and none
// more often than its library promises.

const [lib, nodes, tag] = [process.argv[2], process.argv[3].split(','), process.argv[4]];
const attemptMs = 5000; // one try of one command
const restMs = 40000; // all that is left to do when no more jobs are made
const report = { made: 0, done: 0, refused: 0, unanswered: 0 };
let stopping = false;
process.stdin.on('end', () => {
  stopping = true;
  setTimeout(() => end(new Error('not done in time')), restMs);
});
process.stdin.resume();

// end ends the process, whatever its libraries still wait for.
function end(failure) {
  console.log(JSON.stringify(report));
  if (failure) console.error(`${lib}: ${failure.stack}`);
  process.exit(failure ? 1 : 0);
}

function must(ok, what, got) {
  if (!ok) throw new Error(`${what}: ${JSON.stringify(got)}`);
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const unanswered = Symbol('unanswered');

// insist does something until it succeeds, which must bear to be done twice. Libraries may
// keep for ever what they have sent to a node that is gone: no wait is without an end.
async function insist(what) {
  for (;;) {
    let timer;
    const late = new Promise((done) => { timer = setTimeout(done, attemptMs, unanswered); });
    try {
      const got = await Promise.race([what(), late]);
      if (got !== unanswered) return got;
      report.unanswered++;
    } catch (e) {
      report.refused++;
      report.why = e.message;
      await pause(50);
    } finally {
      clearTimeout(timer);
    }
  }
}

function newIORedis() {
  const { Cluster } = require('ioredis');
  const at = nodes.map((a) => ({ host: a.split(':')[0], port: Number(a.split(':')[1]) }));
  // A command is tried again every 100 ms; 16 times, ioredis's default, may be over before a replica has taken over.
  return new Cluster(at, { slotsRefreshInterval: 500, maxRedirections: 200, redisOptions: { maxRetriesPerRequest: null } }).on('error', () => {});
}

// newWorkerConnection is for a worker of BullMQ, which duplicates it for BZPOPMIN, and closes the duplicate when the reply is a
// second late. If the command is still being tried again then, BullMQ connects anew while it waits for the end of the old
// connection, and the worker hangs for ever, with any server: the duplicate must give up before.
function newWorkerConnection() {
  const c = newIORedis();
  c.duplicate = (at, options) => Object.getPrototypeOf(c).duplicate.call(c, at, { ...options, maxRedirections: 5 });
  return c;
}

// bullmq promises that each job is done at least once, and again only if it was found
// stalled: when its worker could not say in time that it works on it. A job that was done, but
// could not be marked so because the node refused to write, is marked as failed when it can.
async function bullmq() {
  const { Queue, Worker, FlowProducer } = require('bullmq');
  const at = (connection = newIORedis()) => ({ connection, prefix: tag });
  const effects = newIORedis();
  const done = new Set(); // names of jobs
  const workers = [1, 2].map(() => new Worker('jobs', async (job) => {
    await insist(() => effects.hset(`${tag}effects`, `${job.name}/${job.attemptsStarted}`, job.id));
    done.add(job.name);
    report.done = done.size;
  }, { ...at(newWorkerConnection()), concurrency: 4, lockDuration: 4000, stalledInterval: 1000, maxStalledCount: 1000, runRetryDelay: 200, drainDelay: 1 }));
  const [queue, flows] = [new Queue('jobs', at()), new FlowProducer(at())];
  for (const part of [...workers, queue, flows]) part.on('error', (e) => { report.why = e.message; });
  const jobOf = (n, opts) => ({ name: `job-${n}`, data: { n }, opts: { jobId: `job-${n}`, ...opts } });
  const add = ({ name, data, opts }) => insist(() => queue.add(name, data, opts));
  while (!stopping) {
    const n = report.made;
    if (n % 10 === 0) { // a job that waits for the next two
      const children = [n + 1, n + 2].map((child) => ({ queueName: 'jobs', prefix: tag, ...jobOf(child, { ignoreDependencyOnFailure: true }) }));
      await insist(() => loaded(flows, () => flows.add({ queueName: 'jobs', prefix: tag, ...jobOf(n), children })));
      report.made += 3;
    } else {
      await add(jobOf(n, n % 5 === 0 ? { delay: 300 } : {}));
      report.made++;
    }
    await pause(5);
  }
  const unfinished = () => insist(() => queue.getJobCounts('waiting', 'active', 'delayed', 'waiting-children'));
  for (let left = 1; left > 0;) {
    report.left = await unfinished();
    left = Object.values(report.left).reduce((a, b) => a + b);
    await pause(50);
  }
  const failed = await insist(() => queue.getFailed());
  report.failed = failed.length;
  for (const job of failed) must(job.failedReason.startsWith('NOREPLICAS'), 'failed', job);
  const starts = await insist(() => effects.hkeys(`${tag}effects`));
  const times = new Map();
  for (const [name] of starts.map((s) => s.split('/'))) times.set(name, (times.get(name) || 0) + 1);
  report.again = 0;
  for (let n = 0; n < report.made; n++) {
    const id = `job-${n}`;
    const ran = times.get(id) || 0;
    must(ran > 0, 'never ran', id);
    if (ran > 1) {
      const job = await insist(() => queue.getJob(id));
      must(ran - 1 <= job.stalledCounter, `${id} ran ${ran} times`, job);
      report.again += ran - 1;
    }
  }
}

// once does a job once, however often it is sent.
const once = "if redis.call('sadd', KEYS[1], ARGV[1]) == 1 then redis.call('rpush', KEYS[2], ARGV[1]) end return redis.call('llen', KEYS[2])";

// loaded does something in a MULTI with scripts. ioredis sends a script once on each connection, and takes it for loaded
// even if that was in a MULTI that was refused (MOVED): it is NOSCRIPT then in every later one, with any server.
async function loaded(part, what) {
  try {
    return await what();
  } catch (e) {
    const client = await part.client;
    if (e.message.includes('NOSCRIPT')) {
      for (const { lua } of Object.values(client.scriptsSet)) {
        for (const master of client.nodes('master')) await master.script('LOAD', lua);
      }
    }
    throw e;
  }
}

// inOrder makes jobs one after the other. Each try goes another way: MULTI of node-redis
// follows no redirection, and learns where a slot is only when another command is redirected.
async function inOrder(ways, list) {
  let tries = 0;
  const [set, done] = [`${tag}${lib}:set`, `${tag}${lib}:list`];
  for (; !stopping; report.made++) {
    const length = await insist(() => ways[tries++ % ways.length](set, done, String(report.made)));
    must(Number(length) === report.made + 1, `after job ${report.made}`, length);
    await pause(2);
  }
  const all = await insist(() => list(done));
  report.done = all.length;
  must(all.length === report.made && all.every((v, i) => Number(v) === i), 'the jobs done', all);
}

async function ioredis() {
  const c = newIORedis();
  // What is defined becomes a method of the client: with the name "once" it would take the place of the emitter's, by which
  // the client waits for its own connections, and nothing would ever be answered.
  c.defineCommand('doOnce', { numberOfKeys: 2, lua: once });
  await inOrder([
    (set, done, n) => c.doOnce(set, done, n),
    async (set, done, n) => {
      const [[failure], [, length]] = await c.multi().doOnce(set, done, n).llen(done).exec();
      if (failure) throw failure;
      return length;
    },
  ], (done) => c.lrange(done, 0, -1));
}

async function nodeRedis() {
  const { createCluster } = require('redis');
  const c = createCluster({ rootNodes: nodes.map((a) => ({ url: 'redis://' + a })), RESP: 3, maxCommandRedirections: 16 });
  c.on('error', () => {});
  await c.connect();
  const library = `#!lua name=jobs\nredis.register_function('once', function(KEYS, ARGV) ${once} end)`;
  for (const m of c.masters) await (await c.nodeClient(m)).functionLoad(library, { REPLACE: true });
  await inOrder([
    (set, done, n) => c.eval(once, { keys: [set, done], arguments: [n] }),
    (set, done, n) => c.fCall('once', { keys: [set, done], arguments: [n] }),
    async (set, done, n) => (await c.multi().eval(once, { keys: [set, done], arguments: [n] }).lLen(done).exec())[1],
  ], (done) => c.lRange(done, 0, -1));
}

({ bullmq, ioredis, 'node-redis': nodeRedis })[lib]().then(() => end(), end);
