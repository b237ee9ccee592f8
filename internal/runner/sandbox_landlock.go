package runner

import (
	"errors"
	"fmt"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/planner/tfrun"
)

// The rights that a rule grants. go-landlock's own rules confine all threads
// of a process; here it is one thread, so its system calls are used.
const (
	rightsOfFiles = ll.AccessFSExecute | ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSIoctlDev
	rightsToRead  = ll.AccessFSExecute | ll.AccessFSReadFile | ll.AccessFSReadDir
	rightsToWrite = rightsToRead | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSRemoveDir | ll.AccessFSRemoveFile |
		ll.AccessFSMakeDir | ll.AccessFSMakeReg | ll.AccessFSMakeSock | ll.AccessFSMakeFifo | ll.AccessFSMakeSym | ll.AccessFSRefer | ll.AccessFSResolveUnix
	rightsOnDevices = ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSIoctlDev
)

// landlockABI returns the version of the kernel's Landlock, 0 without.
func landlockABI() int {
	v, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return v
}

// handled returns all that a kernel of this version can deny.
func handled(abi int) (fs, net, scoped uint64) {
	fs = 1<<13 - 1
	for from, right := range map[int]uint64{2: ll.AccessFSRefer, 3: ll.AccessFSTruncate, 5: ll.AccessFSIoctlDev, abiSockets: ll.AccessFSResolveUnix} {
		if abi >= from {
			fs |= right
		}
	}
	if abi >= abiTCP {
		net |= ll.AccessNetBindTCP | ll.AccessNetConnectTCP
	}
	if abi >= abiUDP {
		net |= ll.AccessNetBindUDP | ll.AccessNetConnectSendUDP
	}
	if abi >= abiSignals {
		scoped = ll.ScopeSignal | ll.ScopeAbstractUnixSocket
	}
	return fs, net, scoped
}

// restrict keeps the calling thread, and what it starts, to a. The thread must
// have renounced new privileges.
func restrict(abi int, a tfrun.Access) error {
	var attr ll.RulesetAttr
	attr.HandledAccessFS, attr.HandledAccessNet, attr.Scoped = handled(abi)
	if a.Network {
		attr.HandledAccessNet = 0
	}
	ruleset, err := ll.LandlockCreateRuleset(&attr, 0)
	if err != nil {
		return fmt.Errorf("make a Landlock ruleset: %w", err)
	}
	defer unix.Close(ruleset)
	for _, rule := range []struct {
		paths  []string
		rights uint64
	}{{a.Read, rightsToRead}, {a.Write, rightsToWrite}, {devices, rightsOnDevices}} {
		for _, path := range rule.paths {
			if err := allow(ruleset, path, rule.rights&attr.HandledAccessFS); err != nil {
				return err
			}
		}
	}
	if err := ll.LandlockRestrictSelf(ruleset, 0); err != nil {
		return fmt.Errorf("restrict with Landlock: %w", err)
	}
	return nil
}

// allow grants rights on a file, or on a folder and all below it. What is not
// there needs none.
func allow(ruleset int, path string, rights uint64) error {
	if path == "" {
		return nil
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EACCES) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s for Landlock: %w", path, err)
	}
	defer unix.Close(fd)
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return fmt.Errorf("look at %s for Landlock: %w", path, err)
	}
	if info.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= rightsOfFiles
	}
	if err := ll.LandlockAddPathBeneathRule(ruleset, &ll.PathBeneathAttr{AllowedAccess: rights, ParentFd: fd}, 0); err != nil {
		return fmt.Errorf("allow %s with Landlock: %w", path, err)
	}
	return nil
}
