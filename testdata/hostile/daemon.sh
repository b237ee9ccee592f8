# Leaves a program behind that has forked twice, has a session of its own and
# nothing of the run's environment: it waits at ./never for as long as it is let.
env -i sh -c '(setsid sh -c "echo started >found; exec cat ./never" </dev/null >/dev/null 2>&1 &)'
until [ -s found ]; do :; done
