-- Admits a call on every level, or on none.
-- ARGV: id, milliseconds that holds live, then for each level: kind, most, take, mode, seed, span.
-- Returns {1, n, left, mark, ...} when admitted, {0, level, n, left, mark} when that level refuses,
-- {2, level} when the store has to say what a budget has spent.
local call, time = redis.call, redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function int(x) return string.format('%.0f', x) end
local id, till = ARGV[1], int(now + tonumber(ARGV[2]))

-- What expired is let go, or counted as spent where it was held strictly.
local function expire(spent, held, holds, suspects)
  for _, member in ipairs(call('ZRANGEBYSCORE', holds, '-inf', int(now), 'LIMIT', 0, 256)) do
    local amount, mode = string.match(member, ':(%d+):(%a)$')
    call('ZREM', holds, member)
    call('DECRBY', held, amount)
    if mode == 's' then
      call('INCRBY', spent, amount)
      call('ZADD', suspects, int(now), member)
      local left = call('PTTL', spent)
      if left > 0 then call('PEXPIRE', suspects, left) end
    end
  end
end

local check, apply = {}, {}

-- A window: n, and t where it began. While nothing is counted there is none: the next hit begins one.
function check.w(l)
  local seen = call('HMGET', l.key, 'n', 't')
  l.n, l.mark, l.left = tonumber(seen[1] or 0), tonumber(seen[2] or now), call('PTTL', l.key)
  if l.n <= 0 or l.left < 0 then l.new, l.n, l.mark, l.left = true, 0, now, l.span end
  return l.n < l.most
end

function apply.w(l)
  if l.new then
    call('DEL', l.key)
    call('HSET', l.key, 't', int(now))
    call('PEXPIRE', l.key, int(l.span))
  end
  return call('HINCRBY', l.key, 'n', l.raw)
end

-- Permits: members by when they expire.
function check.p(l)
  call('ZREMRANGEBYSCORE', l.key, '-inf', int(now))
  l.n, l.left, l.mark = call('ZCARD', l.key), -1, 0
  return l.n < l.most
end

function apply.p(l)
  call('ZADD', l.key, till, id)
  call('PEXPIRE', l.key, int(2 * tonumber(ARGV[2])))
  return l.n + 1
end

-- A budget: spent, held, holds, suspects, settled. Its modes: free, default, strict.
function check.b(l)
  local spent, held, holds = l.key, KEYS[l.at + 1], KEYS[l.at + 2]
  if call('EXISTS', spent) == 0 then
    if l.seed == '' then return nil end
    call('SET', spent, l.seed)
    if l.span > 0 then call('PEXPIRE', spent, int(l.span)) end
  end
  expire(spent, held, holds, KEYS[l.at + 3])
  if call('EXISTS', holds) == 0 then call('DEL', held) end
  l.mark, l.left = tonumber(call('GET', spent)), call('PTTL', spent)
  l.n = l.mark + tonumber(call('GET', held) or 0)
  if l.mode == 'f' then return true end
  if l.mode == 's' then return l.n + l.take <= l.most end
  return l.n < l.most
end

-- One that was given up before it came here is settled already.
function apply.b(l)
  if call('ZSCORE', KEYS[l.at + 4], id) then return l.n end
  if call('ZADD', KEYS[l.at + 2], till, id .. ':' .. l.raw .. ':' .. l.mode) == 1 then
    call('INCRBY', KEYS[l.at + 1], l.raw)
  end
  return l.n + l.take
end

local levels, at = {}, 1
for a = 3, #ARGV, 6 do
  local l = {
    kind = ARGV[a], most = tonumber(ARGV[a + 1]), take = tonumber(ARGV[a + 2]), raw = ARGV[a + 2],
    mode = ARGV[a + 3], seed = ARGV[a + 4], span = tonumber(ARGV[a + 5]), key = KEYS[at], at = at,
  }
  at = at + (l.kind == 'b' and 5 or 1)
  levels[#levels + 1] = l
  local fits = check[l.kind](l)
  if fits == nil then return {2, #levels - 1} end
  if not fits then return {0, #levels - 1, l.n, l.left, l.mark} end
end
local out = {1}
for _, l in ipairs(levels) do
  local n = apply[l.kind](l)
  out[#out + 1], out[#out + 2], out[#out + 3] = n, l.left, l.mark
end
return out
