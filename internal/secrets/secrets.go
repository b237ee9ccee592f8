package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// The phases of a run, for Source.Phases.
const (
	PhasePlan  = "plan"
	PhaseApply = "apply"
)

// Source is one secret: where its value is, and who may have it. Exactly one
// of Env, File and Command is set.
type Source struct {
	Name    string
	Env     string   // name of a variable of the server's environment
	File    string   // absolute path; a newline at the end is no part of the value
	Command []string // program and arguments; what it prints is the value
	// Repos are patterns of OWNER/NAME, Clients of clients' names: upper and
	// lower case are one, * is anything but a slash. A list that is empty asks
	// for nothing; one of them has something in it.
	Repos, Clients []string
	Phases         []string // in which a run may have it; empty for all
}

// Asker is the repository whose run asks.
type Asker struct {
	Client string // its name, as Tidelock has it
	Repo   string // OWNER/NAME
}

// Store is the secrets of a server. It is safe for concurrent use.
type Store struct {
	sources map[string]Source
	environ []string // of the server: what Env and Command see
}

// New returns a store. environ is the server's environment, in the form of
// os.Environ; the bot's own settings in it are kept from commands.
func New(sources []Source, environ []string) *Store {
	s := &Store{sources: map[string]Source{}}
	for _, src := range sources {
		s.sources[src.Name] = src
	}
	for _, kv := range environ {
		if !strings.HasPrefix(kv, "TIDELOCK_") {
			s.environ = append(s.environ, kv)
		}
	}
	return s
}

const (
	commandTime = 30 * time.Second
	maxValue    = 32 << 10 // bytes: what one environment variable can hold with ease
)

// Get returns the values that a run asks for: by variable, the names of
// secrets in, their values out. The error's sentence is for the pull request,
// and tells nothing of a secret that the repository may not have, not even
// that it is there: errs.NotFound. errs.Forbidden is a secret for another
// phase, errs.Unavailable one that can't be read now; the error's chain, for
// the log, says why.
func (s *Store) Get(ctx context.Context, who Asker, phase string, wants map[string]string) (map[string]redact.Secret, error) {
	out := map[string]redact.Secret{}
	read := map[string]redact.Secret{}
	for _, variable := range slices.Sorted(maps.Keys(wants)) {
		name := wants[variable]
		src, ok := s.sources[name]
		if !ok || !src.allows(who) {
			return nil, errs.New(errs.NotFound, "This server has no secret %q for the repository %s, which the project asks for as %s. "+
				"Either the name is wrong, or the secret's block in the server's configuration does not allow the repository.", name, who.Repo, variable)
		}
		if len(src.Phases) > 0 && !slices.Contains(src.Phases, phase) {
			return nil, errs.New(errs.Forbidden, "The server gives the secret %q to no %s. Ask for it in %s_secrets.", name, phase, src.Phases[0])
		}
		value, ok := read[name]
		if !ok {
			var err error
			if value, err = s.read(ctx, src); err != nil {
				return nil, errs.Wrap(errs.Unavailable, err, "The secret %q can't be read now; the server's log says why. Nothing was started.", name)
			}
			read[name] = value
		}
		out[variable] = value
	}
	return out, nil
}

// Own returns a secret for the server itself, whichever repositories may have
// it: the server's own configuration asks for it.
func (s *Store) Own(ctx context.Context, name string) (redact.Secret, error) {
	src, ok := s.sources[name]
	if !ok {
		return redact.Secret{}, errs.New(errs.NotFound, "There is no secret %q.", name)
	}
	value, err := s.read(ctx, src)
	if err != nil {
		return redact.Secret{}, errs.Wrap(errs.Unavailable, err, "The secret %q can't be read now; the server's log says why.", name)
	}
	return value, nil
}

func (src Source) allows(who Asker) bool {
	matches := func(patterns []string, value string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			ok, err := doublestar.Match(strings.ToLower(p), strings.ToLower(value))
			return ok && err == nil
		})
	}
	return len(src.Repos)+len(src.Clients) > 0 &&
		(len(src.Repos) == 0 || matches(src.Repos, who.Repo)) &&
		(len(src.Clients) == 0 || matches(src.Clients, who.Client))
}

// read returns the secret's value as it is now. Errors quote no part of it.
func (s *Store) read(ctx context.Context, src Source) (redact.Secret, error) {
	var text string
	var err error
	switch {
	case src.Env != "":
		i := slices.IndexFunc(s.environ, func(kv string) bool { return strings.HasPrefix(kv, src.Env+"=") })
		if i < 0 {
			return redact.Secret{}, fmt.Errorf("secret %s: the variable %s is not in the server's environment", src.Name, src.Env)
		}
		text = strings.TrimPrefix(s.environ[i], src.Env+"=")
	case src.File != "":
		text, err = readFile(src.File)
	default:
		text, err = s.command(ctx, src.Command)
	}
	if err != nil {
		return redact.Secret{}, fmt.Errorf("secret %s: %w", src.Name, err)
	}
	text = strings.TrimRight(text, "\r\n")
	switch {
	case len(text) < redact.MinLength:
		return redact.Secret{}, fmt.Errorf("secret %s: it has %d characters, and fewer than %d can't be masked: they would be found everywhere", src.Name, len(text), redact.MinLength)
	case len(text) > maxValue:
		return redact.Secret{}, fmt.Errorf("secret %s: it has more than %d kB", src.Name, maxValue>>10)
	case strings.ContainsRune(text, 0):
		return redact.Secret{}, fmt.Errorf("secret %s: there is a null byte in it, which no environment can hold", src.Name)
	}
	return redact.NewSecret(text), nil
}

func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxValue+2))
	return string(b), err
}

// command runs a program of the server's administrator, with the server's
// environment: it needs what the server has to reach a vault.
func (s *Store) command(ctx context.Context, argv []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append([]string{}, s.environ...)
	cmd.WaitDelay = time.Second
	var out, said limited
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = errors.Join(err, ctx.Err())
		}
		return "", fmt.Errorf("run %s: %w: %s", argv[0], err, bytes.TrimSpace(said.Bytes()))
	}
	return out.String(), nil
}

// limited keeps the beginning of what is written to it.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:min(len(p), max(0, maxValue+2-l.Len()))])
	return len(p), nil
}
