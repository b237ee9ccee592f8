package policyset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

// fetched is what a source gave.
type fetched struct {
	files    map[string][]byte
	revision string
	etag     string
}

// errSame says that a source still holds what the copy is of.
var errSame = errors.New("it is the same as before")

// fetcher asks a source. have is the copy that there is, nil for none; errSame
// says that it still holds.
type fetcher func(ctx context.Context, have *copied) (fetched, error)

// wrongError is what is wrong with the content of a source, beside what
// a *policy.SignatureError says: it must not judge.
type wrongError struct{ error }

func (e wrongError) Unwrap() error { return e.error }

// source keeps the last good copy of a pack's content, or of the admin
// repository's.
type source struct {
	pack  PackConfig // Name, Refresh, MaxAge and the signature; of the admin repository too
	admin bool       // the admin repository names it
	key   string     // names it on the disk: other settings have another
	fetch fetcher
	check func(files map[string][]byte) error // further demands; may be nil
	// readKey returns the file of the key that the signature is checked by; nil
	// reads pack.KeyFile.
	readKey func() ([]byte, error)
	disk    copies
	now     func() time.Time
	log     *slog.Logger

	flight singleflight.Group
	mu     sync.Mutex
	copy   *copied
	asked  time.Time // when the source was last asked
	err    error     // why that gave nothing new; nil where all is well
	wrong  bool      // it gave something that must not judge
}

// newSource returns a source with the copy that the disk has of it.
func newSource(s *source) *source {
	text, err := json.Marshal([]any{s.pack.Kind(), s.pack.From(), s.pack.SHA256, s.pack.KeyFile, s.pack.KeyID, s.pack.Algorithm, s.pack.KeyScope, s.pack.RequireSignature, s.admin})
	if err != nil {
		panic(err) // texts and booleans
	}
	sum := sha256.Sum256(text)
	s.key = s.pack.Name + "-" + hex.EncodeToString(sum[:8])
	s.copy = s.disk.load(s.key)
	if s.readKey == nil {
		s.readKey = func() ([]byte, error) { return os.ReadFile(s.pack.KeyFile) }
	}
	return s
}

// local reports whether asking costs next to nothing, and is done each time.
func (s *source) local() bool { return !s.admin && s.pack.Kind() == "folder" }

// fetchTime is how long one attempt may take.
const fetchTime = 2 * time.Minute

// retry is how soon a source is asked again that could not be reached.
const retry = 30 * time.Second

// due reports whether the source should be asked.
func (s *source) due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	every := s.pack.Refresh
	if s.local() {
		return true
	}
	if s.err != nil {
		every = min(every, retry)
	}
	return s.asked.IsZero() || s.now().Sub(s.asked) >= every
}

// refresh asks the source, once for all who want it at the same time. It
// returns when there is an answer or ctx ends.
func (s *source) refresh(ctx context.Context) {
	done := s.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
		defer cancel()
		s.ask(ctx)
		return nil, nil
	})
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (s *source) ask(ctx context.Context) {
	s.mu.Lock()
	have := s.copy
	s.mu.Unlock()
	verify, keyHash, err := s.verification()
	var got fetched
	if err == nil {
		asked := have
		if have != nil && have.Key != keyHash {
			asked = nil // it was checked by another key, so all of it is wanted
		}
		got, err = s.fetch(ctx, asked)
	}
	var next *copied
	switch {
	case err == nil:
		if next, err = s.examine(got, verify); err == nil {
			next.Key = keyHash
		}
	case errors.Is(err, errSame):
		confirmed := *have
		next, err = &confirmed, nil
	}
	if err == nil {
		next.Confirmed = s.now()
		if have != nil && next.digest == have.digest {
			next.Fetched = have.Fetched
			if next.Confirmed.Sub(have.Confirmed) >= time.Minute || next.Key != have.Key || next.ETag != have.ETag {
				err = s.disk.saveAbout(s.key, next.about)
			} else {
				next.Confirmed = have.Confirmed // as the disk has it
			}
		} else {
			next.Fetched = next.Confirmed
			err = s.disk.save(s.key, next)
		}
		if err != nil {
			s.log.Error("copy of policies not kept; a restart without the source would have nothing", "pack", s.pack.Name, "error", err)
			err = nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = s.now()
	told := err != nil && s.err != nil && err.Error() == s.err.Error() // once is enough until it changes
	var signature *policy.SignatureError
	var bad wrongError
	s.err, s.wrong = err, errors.As(err, &signature) || errors.As(err, &bad)
	switch {
	case told:
	case s.wrong:
		s.log.Error("policies refused: what the source holds must not judge", "pack", s.pack.Name, "from", s.pack.From(), "error", err, "last_good", have != nil)
	case err != nil:
		s.log.Warn("policies not fetched", "pack", s.pack.Name, "from", s.pack.From(), "error", err, "last_good", have != nil)
	default:
		if have == nil || have.digest != next.digest {
			s.log.Info("policies fetched", "pack", s.pack.Name, "from", s.pack.From(), "revision", next.Revision, "digest", next.digest, "signed", next.Signed)
		}
		s.copy = next
	}
}

// verification says how a signature is to be checked now, and a hash of the
// key.
func (s *source) verification() (o policy.VerifyOptions, keyHash string, err error) {
	o = policy.VerifyOptions{KeyID: s.pack.KeyID, Algorithm: s.pack.Algorithm, Scope: s.pack.KeyScope, Required: s.pack.RequireSignature}
	if s.pack.KeyFile == "" {
		return o, "", nil
	}
	key, err := s.readKey()
	if err != nil {
		return o, "", errs.Wrap(errs.Invalid, err, "The key %s of the pack %q can't be read.", s.pack.KeyFile, s.pack.Name)
	}
	o.Key = keyText(key, s.pack.Algorithm)
	if o.Key == "" { // which would check nothing
		return o, "", errs.New(errs.Invalid, "The key %s of the pack %q is empty.", s.pack.KeyFile, s.pack.Name)
	}
	sum := sha256.Sum256([]byte(o.Key))
	return o, hex.EncodeToString(sum[:]), nil
}

// examine makes a good copy of what came, or says what is wrong with it.
func (s *source) examine(got fetched, verify policy.VerifyOptions) (*copied, error) {
	b, err := policy.CheckBundle(got.files, verify)
	if err != nil {
		return nil, wrongError{err}
	}
	if s.check != nil {
		if err := s.check(b.Files); err != nil {
			return nil, wrongError{err}
		}
	}
	c, err := newSnapshot(b.Files)
	if err != nil {
		return nil, err
	}
	return &copied{c, about{Digest: c.digest, Revision: got.revision, Version: b.Revision, Signed: b.Signed, ETag: got.etag}}, nil
}

// keyText is a key as it stands in its file: of a shared secret the newline at
// its end is no part.
func keyText(key []byte, algorithm string) string {
	for len(key) > 0 && len(algorithm) > 0 && algorithm[0] == 'H' && (key[len(key)-1] == '\n' || key[len(key)-1] == '\r') {
		key = key[:len(key)-1]
	}
	return string(key)
}

// get returns the copy that judges now. An error says that there is none, or
// that it is too old.
func (s *source) get() (*copied, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.copy == nil && s.err == nil:
		return nil, errs.New(errs.Unavailable, "The policies of %s were not fetched yet.", s.named())
	case s.copy == nil && s.wrong:
		return nil, errs.Wrap(errs.Forbidden, s.err, "The policies of %s are refused: %s There is no earlier copy, so nothing can be judged by them.", s.named(), errs.Sentence(s.err))
	case s.copy == nil:
		return nil, errs.Wrap(errs.Unavailable, s.err, "The policies of %s can't be had: %s", s.named(), errs.Sentence(s.err))
	case s.old():
		why := "it was not asked since."
		if s.err != nil {
			why = errs.Sentence(s.err)
		}
		return nil, errs.Wrap(errs.Unavailable, s.err, "The policies of %s were last confirmed on %s, and a copy that is older than %s must not judge: %s",
			s.named(), s.copy.Confirmed.UTC().Format("2006-01-02 15:04 MST"), s.pack.MaxAge, why)
	}
	return s.copy, nil
}

// old reports whether the copy is too old to judge.
func (s *source) old() bool { return s.now().Sub(s.copy.Confirmed) > s.pack.MaxAge }

// ready reports whether there is a copy that may judge.
func (s *source) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copy != nil && !s.old()
}

func (s *source) named() string {
	if s.pack.Name == "" {
		return "the admin repository " + s.pack.From()
	}
	return fmt.Sprintf("the pack %q (%s)", s.pack.Name, s.pack.From())
}

// trouble returns a sentence about a source whose newest content is refused
// while an earlier copy judges; "" where there is no such thing.
func (s *source) trouble() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.copy == nil || !s.wrong {
		return ""
	}
	return fmt.Sprintf("The newest policies of %s are refused: %s The copy of %s judges meanwhile.", s.named(), errs.Sentence(s.err), s.copy.Fetched.UTC().Format("2006-01-02 15:04 MST"))
}
