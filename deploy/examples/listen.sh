# The last ten public facts, then the next one.    apt install redis-tools; sh listen.sh
export REDISCLI_AUTH='PASSWORD'
feed() { redis-cli -h 127.0.0.1 -p 6390 --user subscriber-NAME --no-auth-warning "$@"; }
feed XREVRANGE fenghe:feed + - COUNT 10
feed XREAD BLOCK 0 STREAMS fenghe:feed '$'
