//! What the help shows besides the flags.

/// What the program is, in the long help.
pub(super) const ABOUT: &str =
    "A sidecar proxy for LLM calls: it stands beside an application and carries its
calls to the providers. It takes LiteLLM's config files, flags, variables and keys as they are.";

/// Below the short help.
pub(super) const SHORT: &str = "Examples:
  bartizan --config config.yaml             serve the models of a LiteLLM config
  bartizan exec -- python app.py            run one program through a proxy of its own
  bartizan check config.yaml                see what is wrong with a config

More with --help.";

/// Below the long help.
pub(super) const LONG: &str = "Examples:
  Serve every provider whose key is in the environment, on port 4000:
      OPENAI_API_KEY=sk-... bartizan

  Serve the models of a LiteLLM config to the machine's network:
      LITELLM_MASTER_KEY=sk-... bartizan --config config.yaml --host 0.0.0.0

  Serve one model, whatever clients ask for:
      bartizan --model openai/gpt-4o-mini --temperature 0.2

  Run a program whose calls go through a proxy of its own:
      bartizan exec -- python app.py

  Find every mistake of a config, and ask a running proxy how it is:
      bartizan check config.yaml
      bartizan --health --port 4000

Flags are written with underscores or dashes, and values behind a blank or an equals sign. Each
flag wins over its variable, and that over the config. LiteLLM's other flags are accepted; those
without effect are named once at the start.

Exit codes: 0 after a drain, 1 for what cannot be started or is wrong with a config, 2 for
mistakes on the command line.";

/// Below the help of `serve`.
pub(super) const SERVE: &str = "Examples:
  bartizan serve --config config.yaml --port 8080
  bartizan serve --model anthropic/claude-sonnet-4-5 --alias gpt-4o";

/// Below the help of `exec`.
pub(super) const EXEC: &str = "Examples:
  bartizan exec -- python app.py
  bartizan exec --config config.yaml -- npm test
  bartizan exec --budget 1.50 -- ./agent
  bartizan exec --quiet -- sh -c 'curl -s $OPENAI_BASE_URL/models -H \"Authorization: Bearer $OPENAI_API_KEY\"'

Exit codes: the command's own, or 128 and the signal's number if one ended it; 127 if it is not
found, 126 if it cannot be run, 125 if the proxy cannot be started, 2 for mistakes before `--`.";

/// Below the help of `keys`.
pub(super) const KEYS: &str = "Examples:
  bartizan keys create --alias ci --max-budget 5 --models gpt-4o,gpt-4o-mini
  bartizan keys list
  bartizan keys rotate ci
  bartizan keys delete ci

A proxy is asked with the key in LITELLM_MASTER_KEY, or with the one in the state directory.";

/// Below the help of `keys create`.
pub(super) const KEYS_CREATE: &str = "Examples:
  KEY=$(bartizan keys create --alias ci --max-budget 5 --models gpt-4o)
  bartizan keys create --max-budget 100 --budget-duration 30d --rpm 60
  bartizan keys create --duration 12h --json";

/// Below the help of `completions`.
pub(super) const COMPLETIONS: &str = "Examples:
  bartizan completions bash > ~/.local/share/bash-completion/completions/bartizan
  bartizan completions zsh > \"${fpath[1]}/_bartizan\"
  bartizan completions fish > ~/.config/fish/completions/bartizan.fish";

/// Below the help of `man`.
pub(super) const MAN: &str = "Examples:
  bartizan man > ~/.local/share/man/man1/bartizan.1
  bartizan man exec | man -l -";
