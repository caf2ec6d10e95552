"""The steps of a queue in a Redis stream, each one script: the server does all of it at once, or nothing.

A delivery is a pending entry of the group, as Redis keeps it: who holds it, and how often it was delivered. Both
together are the fence: whoever takes a param over changes one of them. Beside the stream there are, for each group:

* ``leases``, a sorted set: until when (milliseconds of the server's clock) each param is held,
* ``back``, a sorted set: from when on each param that was given back may be taken again. It belongs to NOBODY,
* ``runs``, a hash: "CHARGED CRASHES BEGUN" of params of which something is to be noted,
* ``dead``, a stream of dead params.

What is kept of a param there goes with its pending entry.
"""

from __future__ import annotations

__all__ = ["GONE", "LOST", "NOBODY", "OURS", "SCRIPTS"]

NOBODY = "(given back)"
"""The consumer to whom params belong that were given back."""

LOST, OURS, GONE = 0, 1, 2
"""What a script found of a delivery: somebody else's; ours, and it is done; already so: it was done before, unless it
was never ours."""

_COMMON = f"""
local stream, leases, back, runs, dead = unpack(KEYS)
local group, me, nobody = ARGV[1], ARGV[2], '{NOBODY}'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function pending(id, of)
  return redis.call('XPENDING', stream, of or group, id, id, 1)[1]
end

local function ours(id, count)
  local held = pending(id)
  if not held then return {GONE} end
  if held[4] ~= tonumber(count) then return {LOST} end
  return held[2] == me and {OURS} or held[2] == nobody and {GONE} or {LOST}
end

-- A server whose memory is full lets a script go on that has written already. What serves only to run what is there,
-- and so to make room, must not wait for room.
local function hurry()
  redis.call('HDEL', runs, '')
end

local function groups()
  local all = {{}}
  if redis.call('EXISTS', stream) == 0 then return all end
  for _, words in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local one = {{}}
    for i = 1, #words, 2 do one[words[i]] = words[i + 1] end
    all[#all + 1] = one
  end
  return all
end

local function counts(id)
  local charged, crashes, begun = string.match(redis.call('HGET', runs, id) or '', '^(%d+) (%d+) (%d)$')
  return tonumber(charged or 0), tonumber(crashes or 0), begun == '1'
end

local function note(id, charged, crashes, begun)
  if charged + crashes == 0 and not begun then
    redis.call('HDEL', runs, id)
  else
    redis.call('HSET', runs, id, string.format('%d %d %d', charged, crashes, begun and 1 or 0))
  end
end

local function after(one, other)
  local a, b = {{string.match(one, '(%d+)-(%d+)')}}, {{string.match(other, '(%d+)-(%d+)')}}
  local i = a[1] == b[1] and 2 or 1
  return #a[i] > #b[i] or (#a[i] == #b[i] and a[i] > b[i])
end

-- An entry that another group has not done stays for it.
local others
local function wanted(id)
  others = others or groups()
  for _, each in ipairs(others) do
    if each.name ~= group and (after(id, each['last-delivered-id']) or pending(id, each.name)) then return true end
  end
  return false
end

local function release(id)
  redis.call('ZREM', leases, id)
  redis.call('ZREM', back, id)
  redis.call('HDEL', runs, id)
end

local function finish(id)
  redis.call('XACK', stream, group, id)
  if not wanted(id) then redis.call('XDEL', stream, id) end
  release(id)
end

local function give_back(id, from)
  redis.call('XCLAIM', stream, group, nobody, 0, id, 'JUSTID')
  redis.call('ZREM', leases, id)
  redis.call('ZADD', back, from, id)
end

-- For each id and count from the first-th argument on: act if it is ours; tell what became of it.
local function each_of_ours(first, act, step)
  local states = {{}}
  for i = first, #ARGV, step or 2 do
    local state = ours(ARGV[i], ARGV[i + 1])
    if state == {OURS} then act(ARGV[i], ARGV[i + 2]) end
    states[#states + 1] = state
  end
  return states
end
"""

# What was kept of a group that is no more is worth nothing.
_DECLARE = """
for _, each in ipairs(groups()) do
  if each.name == group then return 0 end
end
redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
redis.call('DEL', leases, back, runs)
return 1
"""

# ARGV: lease, the server's run, ids that we hold. A server that was away owes every lease its time: their minions could
# not renew them. What the server has given us and we have never seen, for the connection was lost, goes back.
_ENTER = """
local lease, run, known = tonumber(ARGV[3]), ARGV[4], {}
for i = 5, #ARGV do known[ARGV[i]] = true end
if run ~= '' and redis.call('HGET', runs, '.server') ~= run then
  hurry()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now + lease)) do
    redis.call('ZADD', leases, now + lease, id)
  end
  redis.call('HSET', runs, '.server', run)
end
for _, held in ipairs(redis.call('XPENDING', stream, group, '-', '+', 10000, me)) do
  if not known[held[1]] then give_back(held[1], now) end
end
"""

# ARGV: how many, lease. Returns in how many milliseconds one may be ready, then of each param {id, count, attempt,
# crashes, fields}: first what was given back, then what others have lost, then what is new.
_TAKE = """
local most, lease, taken = tonumber(ARGV[3]), tonumber(ARGV[4]), {0}

local function deliver(id, count, attempt, crashes, fields)
  redis.call('ZREM', back, id)
  redis.call('ZADD', leases, now + lease, id)
  taken[#taken + 1] = {id, count, attempt, crashes, fields}
end

local function take_over(from)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', from, '-inf', now, 'LIMIT', 0, most + 1 - #taken)) do
    local held = pending(id)
    local got = held and redis.call('XCLAIM', stream, group, me, 0, id)[1]
    if got and got[2] then
      local charged, crashes, begun = counts(id)
      if begun then
        crashes = crashes + 1
        note(id, charged, crashes, false)
      end
      deliver(id, held[4] + 1, 1 + charged + crashes, crashes, got[2])
    else
      -- Somebody has thrown the entry away.
      redis.call('XACK', stream, group, id)
      release(id)
    end
  end
end

take_over(back)
take_over(leases)
local left = most + 1 - #taken
if left > 0 then
  local new = redis.call('XREADGROUP', 'GROUP', group, me, 'COUNT', left, 'STREAMS', stream, '>')
  for _, entry in ipairs(new and new[1][2] or {}) do deliver(entry[1], 1, 1, 0, entry[2]) end
end
local wait = 3600000
for _, from in ipairs({back, leases}) do
  local first = redis.call('ZRANGE', from, 0, 0, 'WITHSCORES')
  if first[2] then wait = math.min(wait, math.max(0, first[2] - now)) end
end
taken[1] = wait
return taken
"""

# ARGV: lease, pairs.
_RENEW = """
return each_of_ours(4, function(id)
  redis.call('XCLAIM', stream, group, me, 0, id, 'JUSTID')
  redis.call('ZADD', leases, now + ARGV[3], id)
end)
"""

# ARGV: pairs.
_BEGIN = """
hurry()
return each_of_ours(3, function(id)
  local charged, crashes = counts(id)
  note(id, charged, crashes, true)
end)
"""

# ARGV: pairs.
_ACK = "return each_of_ours(3, finish)"

# ARGV: delay, charge, pairs.
_NACK = """
return each_of_ours(5, function(id)
  local charged, crashes, begun = counts(id)
  give_back(id, now + ARGV[3])
  if begun or ARGV[4] == '1' then note(id, charged + ARGV[4], crashes, false) end
end)
"""

# ARGV: id, count and document of each.
_BURY = """
return each_of_ours(3, function(id, document)
  redis.call('XADD', dead, '*', 'dead', document)
  finish(id)
end, 3)
"""

# ARGV: entry of a dead param, the fields of the new one. Who else reads the stream has had it.
_REQUEUE = """
if not redis.call('XRANGE', dead, ARGV[3], ARGV[3])[1] then return 0 end
local fields = {unpack(ARGV, 4)}
if #groups() > 1 then
  fields[#fields + 1] = 'minionize-for'
  fields[#fields + 1] = group
end
redis.call('XADD', stream, '*', unpack(fields))
redis.call('XDEL', dead, ARGV[3])
return 1
"""

# ARGV: how many at a time. Returns how many went.
_PURGE = """
local most, purger = tonumber(ARGV[3]), '(purge)'
local ids = redis.call('ZRANGE', back, 0, most - 1)
if #ids == 0 then ids = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, most) end
if #ids == 0 then
  local new = redis.call('XREADGROUP', 'GROUP', group, purger, 'COUNT', most, 'STREAMS', stream, '>')
  for _, entry in ipairs(new and new[1][2] or {}) do ids[#ids + 1] = entry[1] end
end
for _, id in ipairs(ids) do finish(id) end
redis.call('XGROUP', 'DELCONSUMER', stream, group, purger)
return #ids
"""

# Returns ready, in flight, dead, delayed, whether that is exact.
_COUNT = """
local length, all = redis.call('XLEN', stream), groups()
local gone, mine = redis.call('XLEN', dead), nil
for _, each in ipairs(all) do
  if each.name == group then mine = each end
end
if not mine then return {length, 0, gone, 0, 1} end
local last = mine['last-delivered-id']
local returned, expired = redis.call('ZCARD', back), redis.call('ZCOUNT', leases, '-inf', now)
local flying = mine.pending - returned - expired
local new, exact = math.max(0, length - mine.pending), 1
-- That is right while what is done leaves the stream. Else the server may know it.
local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
if #all > 1 or (first and not after(first[1], last) and not pending(first[1])) then
  new, exact = mine.lag or new, mine.lag and 1 or 0
end
local delayed = redis.call('ZCOUNT', back, '(' .. now, '+inf')
return {new + returned + expired, math.max(0, flying), gone, delayed, exact}
"""

# Returns the ids that may be taken over now, and what was delivered last.
_RETURNED = """
local ids = redis.call('ZRANGEBYSCORE', back, '-inf', now)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do ids[#ids + 1] = id end
for _, each in ipairs(groups()) do
  if each.name == group then return {ids, each['last-delivered-id']} end
end
return {{}, '0-0'}
"""

# ARGV: lease, where to go on. Who holds a param without a lease (a program of another kind, or somebody has deleted our
# keys) loses it when it has been idle for a lease. Consumers that hold nothing and are idle go. Returns where to go on.
_TEND = """
local lease, last, number = tonumber(ARGV[3]), '-', 1000
local idle = redis.call('XPENDING', stream, group, 'IDLE', lease, ARGV[4], '+', number)
hurry()
for _, held in ipairs(idle) do
  local id = held[1]
  if held[2] == nobody then
    redis.call('ZADD', back, 'NX', now, id)
  elseif not redis.call('ZSCORE', leases, id) then
    redis.call('ZADD', leases, now, id)
  end
  last = '(' .. id
end
for _, words in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
  local one = {}
  for i = 1, #words, 2 do one[words[i]] = words[i + 1] end
  if one.pending == 0 and one.idle > 3 * lease and one.name ~= me then
    redis.call('XGROUP', 'DELCONSUMER', stream, group, one.name)
  end
end
return #idle == number and last or '-'
"""

_LEAVE = """
if not redis.call('XPENDING', stream, group, '-', '+', 1, me)[1] then
  redis.call('XGROUP', 'DELCONSUMER', stream, group, me)
end
"""

_BODIES = {
    "declare": _DECLARE,
    "enter": _ENTER,
    "take": _TAKE,
    "renew": _RENEW,
    "begin": _BEGIN,
    "ack": _ACK,
    "nack": _NACK,
    "bury": _BURY,
    "requeue": _REQUEUE,
    "purge": _PURGE,
    "count": _COUNT,
    "returned": _RETURNED,
    "tend": _TEND,
    "leave": _LEAVE,
}

SCRIPTS = {name: _COMMON + body for name, body in _BODIES.items()}
"""Each takes the keys stream, leases, back, runs, dead, and first the arguments group and consumer."""
