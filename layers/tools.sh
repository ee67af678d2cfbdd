# What the layers are built with, in whatever shell `sam build` was started: sourced by the layers' Makefiles and by the
# project's, which set $layers, this folder. What is found counts only if it runs: pyenv has a shim on PATH for every
# Python it knows, and the shims of those that aren't chosen fail.

runs() { "$@" </dev/null >/dev/null 2>&1; }

# python: a Python 3.13 that can run the module $1, if one is asked for
python_with() {
  python=$(python_candidates | while IFS= read -r it; do
    runs "$it" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' || continue
    [ -z "$1" ] || runs "$it" -m "$1" --version || continue
    printf '%s\n' "$it"
    break
  done)
  [ -n "$python" ]
}

python_candidates() {
  printf '%s\n' python3.13 python3 python
  printf '%s\n' "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.13*/bin/python3.13
  printf '%s\n' "$layers/../.venv/bin/python"
  sam=$(command -v sam) && sed -n '1s/^#! *\(\/.*python[0-9.]*\)$/\1/p' "$sam" 2>/dev/null  # the one that runs SAM
}

# uv: one that runs; the project's is there after `make setup`
any_uv() {
  for uv in uv "$layers/../.uv/bin/uv" "${HOME:-}/.local/bin/uv" "${HOME:-}/.cargo/bin/uv"; do
    runs "$uv" --version && return
  done
  uv=
  return 1
}

# python: any 3.13; uv may have one, or fetches it
find_python() {
  python_with "" && return
  any_uv && python=$("$uv" run -q --no-project --python 3.13 python -c 'import sys; print(sys.executable)') && return
  echo "No Python 3.13 runs here: install it (python.org, pyenv, your system's packages) or uv (docs.astral.sh/uv), on PATH." >&2
  exit 1
}

# uv and python, or uv empty and a python that has pip: uv is four times faster
find_installer() {
  any_uv && find_python && return
  python_with pip && return
  echo "Neither uv nor a Python 3.13 with pip runs here: install uv (docs.astral.sh/uv), or Python 3.13 with pip, on PATH." >&2
  exit 1
}

# python: one that makes environments with pip
find_venv() {
  python_with ensurepip && return
  echo "No complete Python 3.13 runs here: install it (python.org, pyenv, your system's packages), or uv, on PATH." >&2
  exit 1
}
