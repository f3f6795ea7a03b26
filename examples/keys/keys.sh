#!/usr/bin/env bash
# Creates a virtual key, asks with it, changes it, blocks it, renews it, and takes it away: the calls that scripts for LiteLLM make.
# Needs a running proxy: PROXY_URL (default http://127.0.0.1:4000) and MASTER_KEY.
set -euo pipefail

url=${PROXY_URL:-http://127.0.0.1:4000}

# call METHOD PATH KEY [BODY] → the reply; its status is in $status
call() {
  local answer
  answer=$(curl -sS -X "$1" "$url$2" -H "Authorization: Bearer $3" -H 'Content-Type: application/json' ${4:+-d "$4"} -w '\n%{http_code}')
  status=${answer##*$'\n'}
  reply=${answer%$'\n'*}
}

# field NAME → the first text under this name in the reply
field() {
  sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" <<<"$reply" | head -n 1
}

expect() {
  if [[ $status != "$1" ]]; then
    echo "wanted $1 for $2, got $status: $reply" >&2
    exit 1
  fi
  echo "$status $2"
}

call POST /key/generate "$MASTER_KEY" '{"key_alias":"example","models":["claude-sonnet-4-5"],"max_budget":1,"budget_duration":"1d","rpm_limit":20,"metadata":{"team":"docs"}}'
expect 200 "a key is created"
key=$(field key)

chat='{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"Say hello."}]}'
call POST /v1/chat/completions "$key" "$chat"
expect 200 "it opens the proxy"

call POST /v1/chat/completions "$key" '{"model":"gpt-5","messages":[{"role":"user","content":"Say hello."}]}'
expect 401 "and not for other models"

call GET "/key/info?key=$key" "$MASTER_KEY"
expect 200 "what it spent: $(sed -n 's/.*"spend": *\([0-9.e-]*\).*/\1/p' <<<"$reply" | head -n 1)"

call POST /key/update "$MASTER_KEY" "{\"key\":\"$key\",\"max_budget\":2}"
expect 200 "its budget is raised"

call POST /key/block "$MASTER_KEY" "{\"key\":\"$key\"}"
expect 200 "it is blocked"
call POST /v1/chat/completions "$key" "$chat"
expect 401 "and opens nothing"
call POST /key/unblock "$MASTER_KEY" "{\"key\":\"$key\"}"
expect 200 "it is unblocked"

call POST /key/regenerate "$MASTER_KEY" "{\"key\":\"$key\"}"
expect 200 "it has another secret"
renewed=$(field key)
call POST /v1/chat/completions "$key" "$chat"
expect 401 "the old one opens nothing"
call POST /v1/chat/completions "$renewed" "$chat"
expect 200 "the new one does"

call GET '/key/list?page=1&size=10' "$MASTER_KEY"
expect 200 "keys are listed"

call POST /key/delete "$MASTER_KEY" "{\"keys\":[\"$renewed\"]}"
expect 200 "it is deleted"
call POST /v1/chat/completions "$renewed" "$chat"
expect 401 "and gone"
