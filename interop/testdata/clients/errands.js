'use strict';
// The errands of clients_test.go, run by a client library of Node.js:
//
//	node errands.js ioredis|node-redis host:port,host:port
//
// until the standard input ends. The exit code is 0 if no error came up to here and all
// that was written was found, once; what was done goes to the standard output.

const [lib, nodes] = [process.argv[2], process.argv[3].split(',')];
const tags = 20;
let stopping = false;
process.stdin.on('end', () => { stopping = true; });
process.stdin.resume();
const done = { types: 0, queue: 0, stream: 0, unblocked: 0 };

// connect gives a function that sends one command, named with its key.
async function connect() {
  if (lib === 'ioredis') {
    const { Cluster } = require('ioredis');
    const c = new Cluster(nodes.map((a) => ({ host: a.split(':')[0], port: Number(a.split(':')[1]) })), { slotsRefreshInterval: 1000 });
    c.on('error', () => {}); // of one connection: the library makes another one
    return { send: (key, ...words) => c.call(...words), close: () => c.disconnect() };
  }
  const { createCluster } = require('redis');
  const c = createCluster({ rootNodes: nodes.map((a) => ({ url: 'redis://' + a })), RESP: 3, maxCommandRedirections: 16 });
  c.on('error', () => {});
  await c.connect();
  return { send: (key, ...words) => c.sendCommand(key, false, words), close: () => c.destroy() };
}

function must(ok, what, got) {
  if (!ok) throw new Error(`${lib}: ${what}: ${JSON.stringify(got)}`);
}

// types writes and reads every type.
async function types() {
  const c = await connect();
  for (let n = 0; !stopping; n++) {
    const v = String(n);
    const key = (type) => `{${lib}:${n % tags}}${type}`;
    const say = (type, name, ...words) => c.send(key(type), name, key(type), ...words);
    const want = async (expected, type, ...words) => {
      const got = await say(type, ...words);
      must(String(got) === expected, words.join(' ') + ' ' + key(type), got);
    };
    await want('OK', 'string', 'SET', v);
    await want(v, 'string', 'GET');
    await say('hash', 'HSET', 'field', v);
    await want(v, 'hash', 'HGET', 'field');
    await want('1', 'set', 'SADD', v);
    await want('1', 'set', 'SISMEMBER', v);
    await want('1', 'zset', 'ZADD', v, v);
    await want(v, 'zset', 'ZSCORE', v);
    await want(String(Math.floor(n / tags) + 1), 'list', 'RPUSH', v);
    await want(v, 'list', 'LINDEX', '-1');
    await say('hll', 'PFADD', v);
    must(Number(await say('hll', 'PFCOUNT')) > 0, 'PFCOUNT', n);
    await want('1', 'geo', 'GEOADD', '13.361389', '38.115556', v);
    must((await say('geo', 'GEOPOS', v))[0] !== null, 'GEOPOS', n);
    done.types++;
  }
  c.close();
}

// patient sends a command that may wait. Whoever waits at a master that becomes a
// replica is told so and then disconnected, as by redis; what to do is left to the
// application. Null means that the command is to be sent again. If it is sent on the connection that is about to be closed, the
// kernel says reset instead of closed.
async function patient(c, ...words) {
  try {
    const got = await c.send(...words);
    c.told = false;
    return got;
  } catch (e) {
    const told = c.told;
    c.told = String(e.message).startsWith('UNBLOCKED');
    if (c.told) done.unblocked++;
    else if (!told || !['Socket closed unexpectedly', 'read ECONNRESET'].includes(e.message)) throw e;
    return null;
  }
}

async function queue() {
  const [from, to] = [await connect(), await connect()];
  const key = `{${lib}}queue`;
  let sent = 0;
  const produce = (async () => {
    for (; !stopping; sent++) {
      await from.send(key, 'RPUSH', key, String(sent));
      await new Promise((r) => setTimeout(r, 5));
    }
  })();
  for (let next = 0; !stopping || next < sent;) {
    const got = await patient(to, key, 'BLPOP', key, '0.5');
    if (got !== null) {
      must(String(got[1]) === String(next), 'BLPOP, not ' + next, got);
      next++;
    } else if (stopping) {
      await produce;
      must((await to.send(key, 'LLEN', key)) !== 0 || next === sent, 'the queue is empty at ' + next, sent);
    }
    done.queue = next;
  }
  await produce;
  from.close();
  to.close();
}

async function stream() {
  const [from, to] = [await connect(), await connect()];
  const key = `{${lib}}stream`;
  await from.send(key, 'XGROUP', 'CREATE', key, 'group', '$', 'MKSTREAM');
  let sent = 0;
  const produce = (async () => {
    for (; !stopping; sent++) {
      await from.send(key, 'XADD', key, '*', 'n', String(sent));
      await new Promise((r) => setTimeout(r, 5));
    }
  })();
  const seen = new Set();
  while (!stopping || seen.size < sent) {
    const got = await patient(to, key, 'XREADGROUP', 'GROUP', 'group', 'me', 'COUNT', '10', 'BLOCK', '500', 'STREAMS', key, '>');
    if (got === null && stopping) {
      await produce;
      must(Number(await to.send(key, 'XLEN', key)) === sent, 'XLEN, not ' + sent, seen.size);
    }
    for (const [id, fields] of got === null ? [] : Array.isArray(got) ? got[0][1] : Object.values(got)[0]) {
      must(!seen.has(fields[1]), 'given twice', id);
      seen.add(fields[1]);
      must(Number(await to.send(key, 'XACK', key, 'group', id)) === 1, 'XACK', id);
    }
    done.stream = seen.size;
  }
  await produce;
  must(Number((await to.send(key, 'XPENDING', key, 'group'))[0]) === 0, 'XPENDING', null);
  from.close();
  to.close();
}

Promise.all([types(), queue(), stream()]).then(
  () => { console.log(JSON.stringify(done)); process.exit(0); },
  (e) => { console.log(JSON.stringify(done)); console.error(e.stack); process.exit(1); });
