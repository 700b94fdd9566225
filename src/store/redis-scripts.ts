// The Lua scripts of the Redis store: each is one atomic step. They move JSON about and never look inside, because
// cjson does not keep empty arrays and large numbers as they were.

import { HEARD } from './rows.ts'

/**
 * The id in a member of a sorted set, "<16-digit arrival number>:<id>": members of equal score sort by themselves, hence by
 * arrival.
 */
export const idOf = (member: string): string => member.slice(17)

/** KEYS order, records, seq; ARGV id, at, record per record. The first record of an id stays. */
export const APPEND = `
for i = 1, #ARGV, 3 do
  if redis.call('HSETNX', KEYS[2], ARGV[i], ARGV[i + 2]) == 1 then
    local seq = redis.call('INCR', KEYS[3])
    redis.call('ZADD', KEYS[1], ARGV[i + 1], string.format('%016d', seq) .. ':' .. ARGV[i])
  end
end
return 1`

/** KEYS records, heard, then the feedback list of each item; ARGV id, feedback per item. Returns 1 or 0 per item. */
export const ADD_FEEDBACK = `
local known = {}
for i = 1, #ARGV, 2 do
  local n = (i + 1) / 2
  known[n] = redis.call('HEXISTS', KEYS[1], ARGV[i])
  if known[n] == 1 and not redis.call('LPOS', KEYS[n + 2], ARGV[i + 1]) then
    redis.call('RPUSH', KEYS[n + 2], ARGV[i + 1])
    redis.call('LPUSH', KEYS[2], ARGV[i])
  end
end
redis.call('LTRIM', KEYS[2], 0, ${HEARD - 1})
return known`

/** KEYS active, job, jobs, seq; ARGV id, created_at, '1' if active, then field, value pairs. Returns 1 if created. */
export const CREATE_JOB = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if ARGV[3] == '1' then
  if not redis.call('SET', KEYS[1], ARGV[1], 'NX') then return 0 end
end
redis.call('HSET', KEYS[2], unpack(ARGV, 4))
local seq = redis.call('INCR', KEYS[4])
redis.call('ZADD', KEYS[3], ARGV[2], string.format('%016d', seq) .. ':' .. ARGV[1])
return 1`

/**
 * KEYS active, job; ARGV id, owner ('' any), states joined by ',' ('' any), then field, value pairs.
 * Returns the job's fields, or false when nothing was changed.
 */
export const UPDATE_JOB = `
local before = redis.call('HGET', KEYS[2], 'state')
if not before then return false end
if ARGV[2] ~= '' and redis.call('HGET', KEYS[2], 'owner') ~= ARGV[2] then return false end
if ARGV[3] ~= '' and not string.find(',' .. ARGV[3] .. ',', ',' .. before .. ',', 1, true) then return false end
local after = before
for i = 4, #ARGV, 2 do
  if ARGV[i] == 'state' then after = ARGV[i + 1] end
end
local active = redis.call('GET', KEYS[1])
if after == 'queued' or after == 'running' or after == 'paused' then
  if active and active ~= ARGV[1] then return false end
  redis.call('SET', KEYS[1], ARGV[1])
elseif active == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
if #ARGV > 3 then redis.call('HSET', KEYS[2], unpack(ARGV, 4)) end
if after ~= 'running' then redis.call('HDEL', KEYS[2], 'owner', 'lease_until') end
return redis.call('HGETALL', KEYS[2])`

/**
 * KEYS active, job; ARGV id, owner, until, now. Returns the job's fields, 0 when its lease still runs or it is paused, and -1 when
 * another job became the active one meanwhile.
 */
export const CLAIM_JOB = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local job = redis.call('HMGET', KEYS[2], 'state', 'lease_until')
if not job[1] or job[1] == 'paused' then return 0 end
if job[1] == 'running' and tonumber(job[2] or '0') > tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[2], 'state', 'running', 'owner', ARGV[2], 'lease_until', ARGV[3], 'updated_at', ARGV[4])
return redis.call('HGETALL', KEYS[2])`

/** KEYS job; ARGV owner, until. Only a running job has an owner. Returns 1 if renewed. */
export const RENEW_LEASE = `
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'lease_until', ARGV[2])
return 1`

/**
 * KEYS decisions, ids, serving; ARGV length, id, entry, then for a move the pointer as it was read and as it shall be. Returns
 * {1, entry} when written or known, {0} when the record or the pointer is not as it was read.
 */
export const APPEND_DECISION = `
local known = redis.call('HGET', KEYS[2], ARGV[2])
if known then return {1, redis.call('LINDEX', KEYS[1], known)} end
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return {0} end
if ARGV[5] and (redis.call('GET', KEYS[3]) or '') ~= ARGV[4] then return {0} end
redis.call('RPUSH', KEYS[1], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[1])
if ARGV[5] then redis.call('SET', KEYS[3], ARGV[5]) end
return {1, ARGV[3]}`

/** KEYS notes; ARGV key, revision as it was read, value ('' removes). A note is "<revision> <JSON>". Returns 1 if written. */
export const PUT_NOTE = `
local now = redis.call('HGET', KEYS[1], ARGV[1])
local revision = now and string.match(now, '^%d+') or '0'
if revision ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HSET', KEYS[1], ARGV[1], (revision + 1) .. ' ' .. ARGV[3]) end
return 1`
