"""What the Redis store does in one step each: Lua scripts, which happen whole or not at all. Pure.

A session has two streams, of events and of audio, with the sequence number as an entry's id; field `k` is an event's
type, `s` its envelope. Whoever appends has sealed for certain numbers, so an append says which head it was made on.
"""

import json
from collections.abc import Mapping

PURGED = -1
"""The result where a session takes nothing more, since it was deleted for good."""
OTHER_HEAD = -2
"""The result is OTHER_HEAD minus the head where that is another than was expected."""

# KEYS: counter, events, audio, purged, list of sessions. ARGV: the session, the head it was made on, then per event
# its type, its envelope, and 1 where it is audio.
APPEND = """
if redis.call('EXISTS', KEYS[4]) == 1 then return -1 end
local first = tonumber(redis.call('GET', KEYS[1]) or '0')
if first ~= tonumber(ARGV[2]) then return -2 - first end
local count = (#ARGV - 2) / 3
if first == 0 then redis.call('RPUSH', KEYS[5], ARGV[1]) end
for i = 1, count do
  local id = string.format('%.0f-0', first + i)
  if ARGV[3 * i + 2] == '1' then
    redis.call('XADD', KEYS[3], id, 's', ARGV[3 * i + 1])
  else
    redis.call('XADD', KEYS[2], id, 'k', ARGV[3 * i], 's', ARGV[3 * i + 1])
  end
end
return redis.call('INCRBY', KEYS[1], count)
"""

# An entry of a stream cannot be changed, and one that is taken out (XDEL) is only marked: its bytes stay, in memory
# and in the file, while a neighbour of the same node is there. So both streams are made anew: beside the old ones, in
# pieces, since an hour of audio in one step would hold up other commands for seconds; then they take their place.

# A piece. KEYS: a stream, the one beside it, and the same of the other. ARGV: the first and last number, for how many
# seconds what lies beside is kept, and per change its number, its type and its envelope, which is empty for one that
# goes. Gives of each how many entries there were, and how many there are beside it of this piece.
COPY = """
local changes = {}
for i = 4, #ARGV, 3 do changes[ARGV[i] .. '-0'] = {ARGV[i + 1], ARGV[i + 2]} end
local counts = {}
for i = 1, #KEYS, 2 do
  local found, kept = redis.call('XRANGE', KEYS[i], ARGV[1] .. '-0', ARGV[2] .. '-0'), 0
  for _, entry in ipairs(found) do
    local change = changes[entry[1]]
    if not change or change[2] ~= '' then
      local fields = change and {'k', change[1], 's', change[2]} or entry[2]
      redis.call('XADD', KEYS[i + 1], entry[1], unpack(fields))
      kept = kept + 1
    end
  end
  redis.call('EXPIRE', KEYS[i + 1], ARGV[3])
  counts[#counts + 1] = #found
  counts[#counts + 1] = kept
end
return counts
"""

# What lies beside them is put in the place of the old ones only where it is whole: it may have been removed or have
# run out, all of it or its first pieces. A rewriting that only replaces changes neither head nor lengths, so they are
# counted. KEYS: counter, events, audio, purged, what lies beside the events and beside the audio, how often sessions
# were rewritten. ARGV: the session, how often it was, the head it was made on; how many events there were and are
# beside them, and the same of the audio; per event that is appended its type and its envelope.
SWAP = """
if redis.call('EXISTS', KEYS[4]) == 1 then return -1 end
local head = tonumber(redis.call('GET', KEYS[1]) or '0')
if head ~= tonumber(ARGV[3]) then return -2 - head end
if tonumber(redis.call('HGET', KEYS[7], ARGV[1]) or '0') ~= tonumber(ARGV[2]) then return -2 - head end
for i = 2, 3 do
  if redis.call('XLEN', KEYS[i]) ~= tonumber(ARGV[2 * i]) then return -2 - head end
  if redis.call('XLEN', KEYS[i + 3]) ~= tonumber(ARGV[2 * i + 1]) then return -2 - head end
end
for i = 2, 3 do
  redis.call('UNLINK', KEYS[i])
  if tonumber(ARGV[2 * i + 1]) > 0 then
    redis.call('RENAME', KEYS[i + 3], KEYS[i])
    redis.call('PERSIST', KEYS[i])
  end
end
redis.call('HINCRBY', KEYS[7], ARGV[1], 1)
local count = 0
for i = 8, #ARGV, 2 do
  count = count + 1
  redis.call('XADD', KEYS[2], string.format('%.0f-0', head + count), 'k', ARGV[i], 's', ARGV[i + 1])
end
if count == 0 then return head end
return redis.call('INCRBY', KEYS[1], count)
"""

# KEYS: counter, events, audio, purged, data keys. ARGV: the head it was made on, the scope of the data key, the new
# data key or "", the receipt's type and its envelope.
PURGE = """
if redis.call('EXISTS', KEYS[4]) == 1 then return -1 end
local head = tonumber(redis.call('GET', KEYS[1]) or '0')
if head ~= tonumber(ARGV[1]) then return -2 - head end
redis.call('HDEL', KEYS[5], ARGV[2])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[5], ARGV[2], ARGV[3]) end
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('SET', KEYS[4], '1')
redis.call('XADD', KEYS[2], string.format('%.0f-0', head + 1), 'k', ARGV[4], 's', ARGV[5])
return redis.call('INCR', KEYS[1])
"""

# A record is a field of its kind's hash: its version, a line feed, its envelope. KEYS: the hash. ARGV: key, the
# version it must have or "", the envelope or "" to remove it. Gives the version written or removed, and -1 minus the
# stored one where that is another.
CHANGE_RECORD = """
local found = redis.call('HGET', KEYS[1], ARGV[1])
local stored = found and tonumber(string.match(found, '^%d+')) or 0
if ARGV[2] ~= '' and tonumber(ARGV[2]) ~= stored and (stored > 0 or ARGV[3] ~= '') then return -1 - stored end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return stored
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', stored + 1) .. '\\n' .. ARGV[3])
return stored + 1
"""

# KEYS: the hash. ARGV: keys of records. Gives how many there were.
FORGET_RECORDS = "return redis.call('HDEL', KEYS[1], unpack(ARGV))"


def content(fields: Mapping[bytes, bytes]) -> tuple[str, bytes]:
    """An entry's type, where it stands beside it, and its envelope; also of the first form, which had no envelope."""
    if b"s" in fields:
        return fields.get(b"k", b"").decode(), fields[b"s"]
    text = fields[b"e"]
    return str(json.loads(text).get("type", "")), text + b"\n" + fields.get(b"a", b"")
