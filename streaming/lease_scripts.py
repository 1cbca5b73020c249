"""Who writes which session, where several nodes share a Redis: Lua scripts, which happen whole or not at all. Pure.

A node is a field of the hash `nodes`: its address, capacity and last heartbeat. A session that is not over is a field
of the hash `leases`: an epoch, a space, and the node that has it, or none while it is being handed over. Epochs are
counted over all sessions and never go back, so whoever had a session before is known by an older one. Times are
Redis' own: no two clocks are compared.
"""

FENCED = "FENCED"
"""The first word of the error that an append ends with where another node has the session."""
OVERTAKEN = "OVERTAKEN"
"""The same where the session does not end with the event that was read last."""

_READ = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local timeout = tonumber(ARGV[1])
local nodes, held = {}, {}
local raw = redis.call('HGETALL', KEYS[1])
for i = 1, #raw, 2 do nodes[raw[i]] = cjson.decode(raw[i + 1]) end
local leases = redis.call('HGETALL', KEYS[2])
local function holder(lease) return string.match(lease, '^%d+ (.*)$') end
for i = 2, #leases, 2 do
  local name = holder(leases[i])
  held[name] = (held[name] or 0) + 1
end
local function alive(name) return nodes[name] ~= nil and now - nodes[name].beat <= timeout end
local function next_epoch() return string.format('%.0f', redis.call('INCR', KEYS[3])) end
local function assign(session)
  local best, least = '', 2
  for name, node in pairs(nodes) do
    local load = ((held[name] or 0) + 1) / node.capacity
    local fits = alive(name) and not node.draining and load <= 1
    if fits and (load < least or (load == least and name < best)) then best, least = name, load end
  end
  if best ~= '' then
    held[best] = (held[best] or 0) + 1
    redis.call('HSET', KEYS[2], session, next_epoch() .. ' ' .. best)
  end
  return best
end
"""

# A heartbeat. KEYS of all: nodes, leases, epoch. ARGV: what makes a node dead (ms), the node, its address, its
# capacity, 1 where it drains. Sessions of the dead go to the least loaded: but only where this node itself has beaten
# steadily for as long, since after an absence of Redis all look dead. Gives the nodes alive, the sessions nobody
# has, then this node's sessions, each with its epoch.
BEAT = (
    _READ
    + """
local me, before = ARGV[2], nodes[ARGV[2]]
local since = (before and now - before.beat <= timeout) and before.since or now
nodes[me] = {url = ARGV[3], capacity = tonumber(ARGV[4]), draining = ARGV[5] == '1', beat = now, since = since}
redis.call('HSET', KEYS[1], me, cjson.encode(nodes[me]))
local living, waiting, mine = 0, 0, {}
for name, node in pairs(nodes) do
  if alive(name) then living = living + 1
  elseif now - node.beat > 20 * timeout then redis.call('HDEL', KEYS[1], name) end
end
for i = 1, #leases, 2 do
  local session, name = leases[i], holder(leases[i + 1])
  if name == '' or (not alive(name) and now - since >= timeout) then name = assign(session) end
  if name == '' then waiting = waiting + 1 end
  if name == me then
    mine[#mine + 1] = session
    mine[#mine + 1] = string.match(redis.call('HGET', KEYS[2], session), '^%d+')
  end
end
return {living, waiting, mine}
"""
)

# A new session is this node's. ARGV: timeout, the node, the session. Gives the epoch.
TAKE = """
local epoch = string.format('%.0f', redis.call('INCR', KEYS[3]))
redis.call('HSET', KEYS[2], ARGV[3], epoch .. ' ' .. ARGV[2])
return epoch
"""

# A session is over. ARGV: timeout, the node, the session, its epoch.
DROP = """
if redis.call('HGET', KEYS[2], ARGV[3]) ~= ARGV[4] .. ' ' .. ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[2], ARGV[3])
"""

# A node hands a session over. ARGV as above. Gives the address of the node that has it now; "" where none has room
# yet, and where it was not this node's any more.
GIVE = (
    _READ
    + """
if redis.call('HGET', KEYS[2], ARGV[3]) ~= ARGV[4] .. ' ' .. ARGV[2] then return '' end
redis.call('HSET', KEYS[2], ARGV[3], next_epoch() .. ' ')
local name = assign(ARGV[3])
return name ~= '' and nodes[name].url or ''
"""
)

# Who has a session. ARGV: timeout, -, the session. Gives nothing where nobody needs to have it, else the node, its
# address, and 1 while it lives.
OWNER = """
local lease = redis.call('HGET', KEYS[2], ARGV[3])
if not lease then return {} end
local name = string.match(lease, '^%d+ (.*)$')
local found = redis.call('HGET', KEYS[1], name)
if not found then return {name, '', 0} end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local node = cjson.decode(found)
return {name, node.url, now - node.beat <= tonumber(ARGV[1]) and 1 or 0}
"""

# A node that stops is gone at once. ARGV: timeout, the node.
LEAVE = "return redis.call('HDEL', KEYS[1], ARGV[2])"


def fenced(script: str) -> str:
    """A script that changes a session, for its holder alone, and as it was read.

    It takes one more key, the leases, and one more argument: the session, the epoch under which the caller has it or
    "-", and the number of the last event that the caller has read or "-", with spaces in between. Where the lease is
    another one, or a session that was not purged ends with another event, the script changes nothing and ends with an
    error. Where an event is named, the script's second key is the events' and its fourth the mark of one purged.
    """
    return (
        f"""
local fence_session, fence_epoch, fence_on = string.match(table.remove(ARGV), '^(.*) (.*) (.*)$')
local fence_lease = redis.call('HGET', table.remove(KEYS), fence_session)
local fence_current = fence_lease and string.match(fence_lease, '^%d+') or '-'
if fence_current ~= fence_epoch then return redis.error_reply('{FENCED} another node has the session') end
if fence_on ~= '-' and redis.call('EXISTS', KEYS[4]) == 0 then
  local fence_last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  if (fence_last and string.match(fence_last[1], '^%d+') or '0') ~= fence_on then
    return redis.error_reply('{OVERTAKEN} the session was changed meanwhile')
  end
end
"""
        + script
    )


DROP_AUDIO = fenced("return redis.call('DEL', KEYS[1])")
