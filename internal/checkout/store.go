package checkout

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Source says where a repository's commits come from.
type Source struct {
	RepoID int64  // GitHub's immutable ID: names the mirror, so that a rename keeps it
	URL    string // smart HTTP clone URL, with no credentials in it

	// Scope and URL name the mirror of a repository whose ID nobody knows, where
	// RepoID is 0: nothing is shared across scopes.
	Scope string

	// Auth gives the token for one fetch, asked for only when there is one.
	// Nil means that none is needed. With a token, plain http is allowed to
	// loopback addresses only.
	Auth func(ctx context.Context) (redact.Secret, error)

	// Submodules says where the repository's submodules come from; where it is
	// nil they are left out, and each is an empty folder.
	Submodules *Submodules

	sameHost bool // a redirect to another host is refused
}

// Options are limits and the way out. The zero value is fit for use.
type Options struct {
	Transport http.RoundTripper // nil: http.DefaultTransport
	Timeout   time.Duration     // of one fetch; 0: 10 minutes
	MaxFetch  int64             // bytes of one answer of the server; 0: 2 GiB
	MaxFiles  int               // entries of one work tree; 0: 200,000
	MaxBytes  int64             // bytes of one work tree; 0: 2 GiB

	// MaxPacks is how many packs a mirror gathers, one a fetch, before it is
	// fetched anew as one; 0: 256, at which a look-up still costs microseconds.
	MaxPacks int

	// MaxMemory is about how many bytes are kept of folders and of what was
	// worked out of files, so that the next commit's are quick; 0: 64 MiB.
	MaxMemory int
}

// Store is a cache of mirrors. Make it with New.
type Store struct {
	dir    string
	opts   Options
	memory *memory

	mu      sync.Mutex
	mirrors map[string]*mirror // by the name of the folder
	clock   int64              // counts uses, to find the mirror that rested longest
}

// maxMirrors is how many mirrors keep their index in memory.
const maxMirrors = 32

// New returns a store whose mirrors live in dir, which is made when first
// needed. Everything in it can be deleted while no process uses it.
func New(dir string, opts Options) *Store {
	if opts.Transport == nil {
		opts.Transport = http.DefaultTransport
	}
	if opts.Timeout == 0 {
		opts.Timeout = 10 * time.Minute
	}
	if opts.MaxFetch == 0 {
		opts.MaxFetch = 2 << 30
	}
	if opts.MaxFiles == 0 {
		opts.MaxFiles = 200_000
	}
	if opts.MaxBytes == 0 {
		opts.MaxBytes = 2 << 30
	}
	if opts.MaxPacks == 0 {
		opts.MaxPacks = 256
	}
	if opts.MaxMemory == 0 {
		opts.MaxMemory = 64 << 20
	}
	return &Store{dir: dir, opts: opts, memory: newMemory(opts.MaxMemory), mirrors: map[string]*mirror{}}
}

// Notes tells what a work tree lacks and holds, for the people who will wonder.
type Notes struct {
	Files      int
	Bytes      int64
	Submodules []string // paths of those that were not fetched; each is an empty folder
	LFS        []string // paths of Git LFS pointers, which stand where content should be
}

// Tree writes the commit's files to the folder into, which must not exist or
// be empty. Refs are fetched along with the commit when it is not in the
// mirror yet (full names such as "refs/pull/7/head", or branch names), which
// also brings a commit that the server won't hand out by its hash.
//
// A commit that the repository no longer has is errs.NotFound, a tree that
// can't be written safely errs.Invalid, one over a limit errs.TooLarge, a
// server that fails errs.Unavailable, one that refuses the token
// errs.Forbidden.
func (s *Store) Tree(ctx context.Context, src Source, refs []string, sha, into string) (Notes, error) {
	var notes Notes
	err := s.with(ctx, src, refs, []string{sha}, func(v *view, commits []plumbing.Hash) (err error) {
		p, err := s.open(ctx, src, v, commits[0])
		if err != nil {
			return err
		}
		defer p.close()
		notes, err = s.writeTree(ctx, p, into)
		return err
	})
	if err != nil {
		return Notes{}, fmt.Errorf("check out %s of %s: %w", sha, src.named(), err)
	}
	return notes, nil
}

// Changed returns the paths, sorted, that differ between head and the merge
// base of base and head: what a pull request changes. A renamed file gives its
// old path and its new one. Where the two commits share no history, base
// itself is compared. What differs in submodules that are fetched is told file
// by file.
func (s *Store) Changed(ctx context.Context, src Source, base, head string) ([]string, error) {
	var paths []string
	err := s.with(ctx, src, nil, []string{base, head}, func(v *view, commits []plumbing.Hash) error {
		r := s.reader(src, v)
		defer r.close()
		from, ok, err := mergeBase(ctx, r, commits[0], commits[1])
		if err != nil {
			return err
		}
		if !ok {
			from = commits[0]
		}
		before, err := s.openForgiving(ctx, src, v, from)
		if err != nil {
			return err
		}
		defer before.close()
		after, err := s.openForgiving(ctx, src, v, commits[1])
		if err != nil {
			return err
		}
		defer after.close()
		paths, err = s.changed(ctx, before, after)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("compare %s with %s of %s: %w", base, head, src.named(), err)
	}
	return paths, nil
}

// MergeBase returns the newest commit that both a and b descend from;
// errs.NotFound where they share no history.
func (s *Store) MergeBase(ctx context.Context, src Source, a, b string) (string, error) {
	var base plumbing.Hash
	err := s.with(ctx, src, nil, []string{a, b}, func(v *view, commits []plumbing.Hash) error {
		r := s.reader(src, v)
		defer r.close()
		found, ok, err := mergeBase(ctx, r, commits[0], commits[1])
		if err == nil && !ok {
			err = errs.New(errs.NotFound, "The commits %s and %s share no history.", a, b)
		}
		base = found
		return err
	})
	if err != nil {
		return "", fmt.Errorf("merge base of %s and %s of %s: %w", a, b, src.named(), err)
	}
	return base.String(), nil
}

// File returns a file of the commit: at most 4 MiB, else errs.TooLarge.
// errs.NotFound where there is none at the path (slashes, no leading one),
// errs.Invalid where it is a folder, a link or a submodule.
func (s *Store) File(ctx context.Context, src Source, sha, path string) ([]byte, error) {
	var content []byte
	err := s.with(ctx, src, nil, []string{sha}, func(v *view, commits []plumbing.Hash) (err error) {
		content, err = readFile(v, commits[0], path)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %q at %s of %s: %w", path, sha, src.named(), err)
	}
	return content, nil
}

// TreeHash returns git's hash of what stands at the path in the commit, file
// or folder: the same hash means the same content. "" and "." are the whole
// tree. errs.NotFound where there is nothing.
func (s *Store) TreeHash(ctx context.Context, src Source, sha, path string) (string, error) {
	var hash plumbing.Hash
	err := s.with(ctx, src, nil, []string{sha}, func(v *view, commits []plumbing.Hash) error {
		r := s.reader(src, v)
		defer r.close()
		e, err := lookup(r, commits[0], path)
		hash = e.Hash
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash of %q at %s of %s: %w", path, sha, src.named(), err)
	}
	return hash.String(), nil
}

// Forget deletes the repository's mirror, as is due when the App is removed.
// Work that is using it fetches again or fails.
func (s *Store) Forget(repoID int64) error {
	name := Source{RepoID: repoID}.mirror()
	s.mu.Lock()
	m := s.mirrors[name]
	delete(s.mirrors, name)
	s.mu.Unlock()
	if m != nil {
		m.unload()
	}
	if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
		return fmt.Errorf("forget the mirror of repository %d: %w", repoID, err)
	}
	return nil
}

// reader returns a reader of the view that uses the store's memory.
func (s *Store) reader(src Source, v *view) *reader {
	r := newReader(v)
	r.memory = shelf{s.memory, src.mirror() + " "}
	return r
}

// mirror returns the name of the folder that the source's mirror is in.
func (src Source) mirror() string {
	if src.RepoID > 0 {
		return strconv.FormatInt(src.RepoID, 10) + mirrorEnd
	}
	return fmt.Sprintf("%s%x%s", scopedMirror, sha256.Sum256([]byte(src.Scope+"\n"+src.URL)), mirrorEnd)
}

const (
	mirrorEnd    = ".git"
	scopedMirror = "u-" // how the names of those begin that have no ID
)

// plainName is named for errors about a URL, which may hold what must not be
// repeated.
func (src Source) plainName() string {
	if src.RepoID > 0 {
		return fmt.Sprintf("repository %d", src.RepoID)
	}
	return "a submodule"
}

// named says which repository is meant, in errors.
func (src Source) named() string {
	if src.RepoID > 0 {
		return fmt.Sprintf("repository %d", src.RepoID)
	}
	return src.URL
}

// with runs do on a view of the mirror that has the commits. Where the mirror
// turns out to be damaged, or was replaced meanwhile, do runs again on a newer
// one: it must be fit to start over.
func (s *Store) with(ctx context.Context, src Source, refs, shas []string, do func(*view, []plumbing.Hash) error) error {
	if err := src.check(); err != nil {
		return err
	}
	names, err := refNames(refs)
	if err != nil {
		return err
	}
	commits := make([]plumbing.Hash, len(shas))
	for i, sha := range shas {
		if !plumbing.IsHash(sha) {
			return errs.New(errs.Invalid, "%q is not a full commit hash.", sha)
		}
		commits[i] = plumbing.NewHash(sha)
	}
	m := s.use(src)
	defer s.release(m)
	for attempt := 0; ; attempt++ {
		v, err := s.ensure(ctx, m, src, names, commits)
		if err != nil {
			return err
		}
		err = do(v, commits)
		var damage *damagedError
		if !errors.As(err, &damage) || damage.v == nil || attempt == 2 {
			return err
		}
		if err := damage.v.mirror.discard(damage.v.generation); err != nil {
			return err
		}
	}
}

// use returns the source's mirror, held until release.
func (s *Store) use(src Source) *mirror {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := src.mirror()
	m := s.mirrors[name]
	if m == nil {
		m = newMirror(filepath.Join(s.dir, name))
		s.mirrors[name] = m
	}
	m.touch(time.Now())
	s.clock++
	m.users, m.lastUse = m.users+1, s.clock
	return m
}

// release gives the mirror back, and drops the indexes of the mirror that has
// rested longest when there are too many: they are read again from disk.
func (s *Store) release(m *mirror) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.users--
	for len(s.mirrors) > maxMirrors {
		oldest := ""
		for name, m := range s.mirrors {
			if m.users == 0 && (oldest == "" || m.lastUse < s.mirrors[oldest].lastUse) {
				oldest = name
			}
		}
		if oldest == "" {
			return
		}
		delete(s.mirrors, oldest)
	}
}

// check refuses sources whose use could leak a token or leave HTTP.
func (src Source) check() error {
	if src.RepoID < 0 || src.RepoID == 0 && src.Scope == "" {
		return errs.New(errs.Invalid, "A repository to check out needs its ID.")
	}
	u, err := url.Parse(src.URL)
	if err != nil {
		// The parser's error quotes the URL, which may hold what it must not.
		return errs.New(errs.Invalid, "The clone URL of %s can't be read.", src.plainName())
	}
	switch {
	case u.User != nil:
		return errs.New(errs.Invalid, "The clone URL of %s holds credentials. Tidelock takes none from a URL.", src.plainName())
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errs.New(errs.Invalid, "The clone URL of %s is not an http or https address.", src.plainName())
	case u.RawQuery != "" || u.Fragment != "":
		return errs.New(errs.Invalid, "The clone URL of %s has a query or a fragment.", src.plainName())
	case u.Scheme == "http" && src.Auth != nil && !loopback(u.Hostname()):
		return errs.New(errs.Invalid, "The clone URL of %s is plain http: a token is sent over https only, save to this machine itself.", src.plainName())
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// refNames completes branch names and refuses what is no ref name.
func refNames(refs []string) ([]plumbing.ReferenceName, error) {
	names := make([]plumbing.ReferenceName, len(refs))
	for i, ref := range refs {
		name := plumbing.ReferenceName(ref)
		if len(ref) < 5 || ref[:5] != "refs/" {
			name = plumbing.NewBranchReferenceName(ref)
		}
		if err := name.Validate(); err != nil {
			return nil, errs.Wrap(errs.Invalid, err, "%q is not the name of a branch or ref.", ref)
		}
		names[i] = name
	}
	return names, nil
}
