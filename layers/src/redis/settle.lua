-- Settles what calls took, and renews what they hold. Parts with an id count once for it.
-- ARGV: milliseconds that holds live, milliseconds that settled ids are remembered, then parts:
-- w mark delta beyond span | p id | P id | b id amount mode cost seed span | B id amount mode
local call, time = redis.call, redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function int(x) return string.format('%.0f', x) end
local till, keep = int(now + tonumber(ARGV[1])), tonumber(ARGV[2])
local part = {}

-- In the window in which it was taken, by the difference; in a later one, what went beyond it.
function part.w(k, mark, delta, beyond, span)
  local key = KEYS[k]
  local seen = call('HMGET', key, 'n', 't')
  local n = call('PTTL', key) > 0 and tonumber(seen[1] or 0) or 0
  if n > 0 and seen[2] == mark then
    if call('HINCRBY', key, 'n', delta) < 0 then call('HSET', key, 'n', '0') end
  elseif beyond ~= '0' then
    if n <= 0 then
      call('DEL', key)
      call('HSET', key, 't', int(now))
      call('PEXPIRE', key, span)
    end
    call('HINCRBY', key, 'n', beyond)
  end
end

function part.p(k, id)
  call('ZREM', KEYS[k], id)
end

function part.P(k, id)
  call('ZADD', KEYS[k], till, id)
  call('PEXPIRE', KEYS[k], int(2 * tonumber(ARGV[1])))
end

function part.b(k, id, amount, mode, cost, seed, span)
  local spent, held, holds, suspects, settled = unpack(KEYS, k, k + 4)
  if call('ZADD', settled, 'NX', int(now), id) == 0 then return end
  call('ZREMRANGEBYSCORE', settled, '-inf', int(now - keep))
  call('PEXPIRE', settled, int(keep))
  if call('EXISTS', spent) == 0 then
    call('SET', spent, seed)
    if span ~= '0' then call('PEXPIRE', spent, span) end
  end
  local member = id .. ':' .. amount .. ':' .. mode
  if call('ZREM', holds, member) == 1 then
    call('DECRBY', held, amount)
  elseif call('ZREM', suspects, member) == 1 then
    call('DECRBY', spent, amount)
  end
  if call('EXISTS', holds) == 0 then call('DEL', held) end
  if cost ~= '0' then call('INCRBY', spent, cost) end
end

-- A hold that the server lost, or that became suspect, is held again.
function part.B(k, id, amount, mode)
  local spent, held, holds, suspects, settled = unpack(KEYS, k, k + 4)
  if call('ZSCORE', settled, id) then return end
  local member = id .. ':' .. amount .. ':' .. mode
  if call('ZREM', suspects, member) == 1 then call('DECRBY', spent, amount) end
  if call('EXISTS', holds) == 0 then call('DEL', held) end
  if call('ZADD', holds, till, member) == 1 then call('INCRBY', held, amount) end
end

local takes, spans = {w = 4, p = 1, P = 1, b = 6, B = 3}, {b = 5, B = 5}
local a, k = 3, 1
while a <= #ARGV do
  local kind = ARGV[a]
  part[kind](k, unpack(ARGV, a + 1, a + takes[kind]))
  a, k = a + 1 + takes[kind], k + (spans[kind] or 1)
end
return 0
