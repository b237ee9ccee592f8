# Tries what a program can that runs in a plan or an apply. It runs in the
# project's directory, and says in ./found what it achieved. It is bounded:
# without a sandbox it breaks nothing but what targets.sh names.
. ./targets.sh

try() { # NAME COMMAND...: succeeds where the attack did
	name=$1
	shift
	echo "tried $name" >>found
	if "$@" >>loot 2>&1; then echo "got $name" >>found; fi
}

# Reading.
try read-secret cat "$SECRET"
try read-database cat "$DATA/tidelock.db"
try read-key cat "$DATA/encryption.key"
try read-state cat "$DATA/states/b/terraform.tfstate"
try read-other-tree cat "$DATA/trees/b/main.tf"
try read-spec cat "$HOME/../spec.json"
try read-journal cat "$HOME/../journal.jsonl"
try read-other-run cat "$HOME/../../other/log.txt"
try list-data ls "$DATA"
try list-runs ls "$HOME/../.."
try list-root ls /
ln -s "$SECRET" ./a-link
try read-link cat ./a-link
try hard-link ln "$SECRET" ./hard
try read-hard-link cat ./hard
try read-shadow cat /etc/shadow
try read-server-environ cat "/proc/$SERVER/environ"
try read-server-maps cat "/proc/$SERVER/maps"
try read-parent-environ sh -c 'cat /proc/$PPID/environ'
try read-own-environ cat /proc/self/environ
try read-all-environs sh -c 'cat /proc/*/environ | grep -q .'

# Writing.
try write-outside sh -c 'echo x >"$1/made"' - "$OUTSIDE"
try make-folder-outside mkdir "$OUTSIDE/folder"
try change-outside sh -c 'echo x >>"$1"' - "$SECRET"
try empty-outside sh -c ': >"$1"' - "$DATA/victim"
try remove-outside rm -f "$DATA/removable"
try move-outside mv ./found-nothing "$OUTSIDE/moved"
try write-state sh -c 'echo x >>"$1"' - "$DATA/states/b/terraform.tfstate"
try write-tmp sh -c 'echo x >"/tmp/tidelock-attack-$$" && rm "/tmp/tidelock-attack-$$"'
try write-result sh -c 'echo x >"$HOME/../result.json.attack"'
try write-journal sh -c ': >>"$HOME/../journal.jsonl"'
try replace-wrapper sh -c 'echo "#!/bin/sh" >"$HOME.terraform"'

# Other processes.
try signal kill -0 "$VICTIM"
try kill kill -9 "$VICTIM2"
try ptrace ./tool ptrace "$VICTIM"
try server-memory ./tool memory "$SERVER"
try abstract-socket ./tool abstract "$ABSTRACT"
try new-privileges ./tool privileges
try mount sh -c 'mkdir -p m && mount -t tmpfs none m && umount m'
try make-device mknod ./device b 7 0
try raise-limits sh -c 'ulimit -c unlimited'

# The network: to a server on this machine.
try tcp ./tool dial tcp "$LISTENER"
try udp ./tool dial udp "$LISTENER"

echo "tried everything" >>found
