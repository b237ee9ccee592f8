package state

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/errs"
)

// State is a project's state: which of its versions counts.
type State struct {
	ID      string
	Client  string // ID
	Name    string // the project's path
	Current string // ID of the version that counts, "" for none
	Seq     int64  // of the last version that was made
	Serial  int64  // of the version that counts
	Lineage string
	MD5     string // hex
	Frozen  string // why nothing may be written; "" where it may
	Created time.Time
	Written time.Time // last; zero for never
	Lock    *Lock     // nil: nobody holds it

	maxSerial int64
}

// Exists reports whether there is a version that counts.
func (s State) Exists() bool { return s.Current != "" }

// The kinds of version.
const (
	KindWrite   = "write"   // a client wrote it
	KindForce   = "force"   // somebody wrote it past the checks
	KindRestore = "restore" // it is an older one, come back
	KindErrored = "errored" // a run could not write it; it never counted
)

// Version is one write of a state.
type Version struct {
	ID               string
	State            string // ID
	Client           string // ID
	Seq              int64  // 1, 2, 3, … of the state
	Kind             string
	Serial           int64
	Lineage          string
	Size             int64 // bytes
	Stored           int64 // bytes that it takes here, compressed and sealed
	MD5, SHA256      string
	TerraformVersion string
	Encrypted        bool // by the client: nobody here can look into it
	Resources        int
	Instances        int
	Actor            access.Actor
	Run              string // ID of the run that wrote it, "" for none
	Commit           string // what the run was of
	Reason           string // of a forced or restored one
	Created          time.Time
	Key              string // ID of the key that wraps its data key

	blob    string
	wrapped []byte
}

// LockInfo is what Terraform says of a lock, with its own names.
type LockInfo struct {
	ID        string
	Operation string
	Info      string
	Who       string
	Version   string
	Created   time.Time
	Path      string
}

// bare reports whether the info has an ID and nothing else, as OpenTofu's
// force-unlock sends it.
func (i LockInfo) bare() bool { return i == LockInfo{ID: i.ID} }

// Lock is who holds a state.
type Lock struct {
	LockInfo
	Actor access.Actor
	Token string // ID of the token that took it, "" for none
	Run   string // ID of the run that took it, "" for none
	Since time.Time
	raw   string // the info as it was sent
}

// Holder says for people who holds the lock. What the client said of it is
// shown in terminals, and so without what steers one.
func (l Lock) Holder() string {
	who := l.Who
	if who == "" {
		who = l.Actor.String()
	}
	if l.Run != "" {
		who += fmt.Sprintf(" (run %s)", l.Run)
	}
	what := ""
	if l.Operation != "" {
		what = " for " + l.Operation
	}
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, who+what)
	return text + " since " + l.Since.UTC().Format("2006-01-02 15:04:05 MST")
}

// HeldError says that somebody else holds the lock. It is an errs.Conflict.
type HeldError struct {
	Lock Lock
	err  error
}

func (e *HeldError) Error() string { return e.err.Error() }

// Unwrap gives the classified error.
func (e *HeldError) Unwrap() error { return e.err }

func held(l Lock, format string, args ...any) error {
	return &HeldError{l, errs.New(errs.Conflict, format, args...)}
}

// JSON returns the holder's lock info as clients expect it: with an ID.
func (l Lock) JSON() []byte {
	if l.raw != "" && json.Valid([]byte(l.raw)) {
		return []byte(l.raw)
	}
	b, err := json.Marshal(l.LockInfo)
	if err != nil {
		return []byte("{}") // a time out of range, which none of ours is
	}
	return b
}

// maxName bounds a project's path.
const maxName = 200

// CheckName admits the path of a project: parts of letters, digits, dots,
// hyphens and underscores, with slashes between. None begins with a dot, so
// none leads anywhere, and the last is not "lock", which belongs to the address
// of locks. The error is errs.Invalid.
func CheckName(name string) error {
	bad := name == "" || len(name) > maxName
	part := ""
	for part = range strings.SplitSeq(name, "/") {
		bad = bad || part == "" || part[0] == '.'
		for _, r := range part {
			bad = bad || !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
		}
	}
	if bad || part == "lock" {
		return errs.New(errs.Invalid, "A state's name is the path of a project: parts of letters, digits, dots, hyphens and underscores with slashes between, %d characters at most; none begins with a dot, and the last is not \"lock\".", maxName)
	}
	return nil
}

// Who acts on a state.
type Who struct {
	Actor  access.Actor
	Token  string // ID, "" for none
	Run    string // ID of the run whose credential it is, "" for none
	Commit string
	// Proof says how it is known who acts, for restores, which take two people;
	// "" for a token without more.
	Proof string
}

func (w Who) proof() string {
	if w.Proof == "" && w.Token != "" {
		return "token " + w.Token
	}
	return w.Proof
}

// By returns who acts with the credential.
func By(c access.Credential) Who {
	return Who{Actor: c.Actor, Token: c.ID, Run: c.Run, Commit: c.Commit}
}

// MayAct refuses a token with which nobody may have another version of the
// state count: by a page, the API or the command line, where a person acts. A
// state of another client's is not there.
func MayAct(cred access.Credential, client, name string) error {
	switch {
	case cred.Client != client:
		return errs.New(errs.NotFound, "There is no such state.")
	case cred.Run != "":
		return errs.New(errs.Forbidden, "The token is a run's own, and nobody's.")
	case !cred.Opens(name):
		return errs.New(errs.Forbidden, "The token does not open the project %s.", name)
	case !cred.May(access.ScopeWrite):
		return errs.New(errs.Forbidden, "The token may not write, and this has another version count.")
	}
	return nil
}

// OverrideOf returns why what the credential writes counts although it does not
// follow; "" where it is refused.
func OverrideOf(c access.Credential) string {
	if !c.May(access.ScopeForceWrite) {
		return ""
	}
	return "forced by a token with the scope force-write: " + c.Name
}
