package policyset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/egress"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/redact"
)

// token gives the secret that a source is asked with; an empty one is none.
type token func(ctx context.Context) (redact.Secret, error)

// fetcherOf returns how a pack's source is asked.
func (s *Sets) fetcherOf(p PackConfig, admin bool) fetcher {
	client, git := s.client, s.git
	if admin { // whoever writes to the repository chooses the hosts
		client, git = s.strangers, s.strangersGit
	}
	secret := func(ctx context.Context) (redact.Secret, error) {
		if p.Token == "" {
			return redact.Secret{}, nil
		}
		if s.options.Token == nil {
			return redact.Secret{}, errs.New(errs.NotFound, "The pack %q needs the secret %q, and there are no secrets here.", p.Name, p.Token)
		}
		return s.options.Token(ctx, p.Token, admin)
	}
	switch p.Kind() {
	case "folder":
		return folder(p.Path)
	case "git":
		src := checkout.Source{Scope: "policies", URL: p.Git}
		if p.Token != "" {
			src.Auth = secret
		}
		return gitRef(git, func(context.Context) (checkout.Source, string, error) { return src, p.ref(), nil }, p.Dir)
	case "bundle":
		return bundleAt(client, p, secret)
	}
	return artifact(client, p, secret)
}

// folder reads a folder of this machine.
func folder(dir string) fetcher {
	return func(_ context.Context, have *copied) (fetched, error) {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return fetched{}, errs.Wrap(errs.Unavailable, err, "The folder %s can't be read: %v.", dir, cause(err))
		}
		defer root.Close()
		stamp, err := stampOf(root.FS())
		if err == nil && have != nil && have.ETag == stamp {
			return fetched{}, errSame
		}
		var files map[string][]byte
		if err == nil {
			files, err = readFiles(root.FS(), ".")
		}
		if err != nil {
			return fetched{}, unreadable(err, "The folder %s can't be read: %v.", dir, cause(err))
		}
		return fetched{files: files, etag: stamp}, nil
	}
}

// stampOf tells a folder whose files were not touched from one whose were.
func stampOf(dir fs.FS) (string, error) {
	sum := sha256.New()
	n := 0
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if skipped(name, d) {
			return skip(d)
		}
		if n++; n > maxFiles {
			return errTooMany
		}
		info, err := fileInfo(dir, name, d)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%q %d %d %s\n", name, info.Size(), info.ModTime().UnixNano(), info.Mode())
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

const (
	maxFiles = 5_000
	maxBytes = 32 << 20
)

var errTooMany = errs.New(errs.TooLarge, "There are more than %d files or %d MB of them.", maxFiles, maxBytes>>20)

// skipped reports whether a pack does not have a file: those of git and other
// tools, whose folders begin with a dot.
func skipped(name string, d fs.DirEntry) bool {
	return d.IsDir() && name != "." && strings.HasPrefix(path.Base(name), ".")
}

func skip(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// fileInfo is what an entry is, of a link what it leads to: a folder that
// Kubernetes mounts has links for files. The trees that are read let no link
// out.
func fileInfo(tree fs.FS, name string, d fs.DirEntry) (fs.FileInfo, error) {
	if d.Type()&fs.ModeSymlink != 0 {
		return fs.Stat(tree, name)
	}
	return d.Info()
}

// readFiles reads the regular files of a folder, by their path within it.
func readFiles(tree fs.FS, dir string) (map[string][]byte, error) {
	sub, err := fs.Sub(tree, dir)
	if err != nil {
		return nil, err
	}
	files, size := map[string][]byte{}, int64(0)
	err = fs.WalkDir(sub, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if skipped(name, d) {
			return skip(d)
		}
		info, err := fileInfo(sub, name, d)
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		if size += info.Size(); size > maxBytes || len(files) >= maxFiles {
			return errTooMany
		}
		files[name], err = fs.ReadFile(sub, name)
		return err
	})
	return files, err
}

// unreadable gives an error of reading a kind, where it has none.
func unreadable(err error, format string, args ...any) error {
	if errs.KindOf(err) != errs.Internal {
		return err
	}
	return errs.Wrap(errs.Unavailable, err, format, args...)
}

// cause is the innermost part of an error that says something to people.
func cause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return strings.TrimSuffix(err.Error(), ".")
}

// gitRef reads a folder of a git repository at a branch, tag or commit.
func gitRef(store *checkout.Store, where func(context.Context) (checkout.Source, string, error), dir string) fetcher {
	return func(ctx context.Context, have *copied) (fetched, error) {
		if store == nil {
			return fetched{}, errs.New(errs.Unavailable, "There is no folder here to clone a repository into.")
		}
		src, ref, err := where(ctx)
		if err == nil && ref == "" {
			err = errs.New(errs.Unavailable, "GitHub has not said yet which branch is the default one.")
		}
		if err != nil {
			return fetched{}, err
		}
		sha, refs, err := store.Find(ctx, src, ref)
		if err != nil {
			return fetched{}, err
		}
		if have != nil && have.Revision == sha {
			return fetched{}, errSame
		}
		tree, err := store.TreeFS(ctx, src, refs, sha)
		if err != nil {
			return fetched{}, err
		}
		defer tree.Close()
		files, err := readFiles(tree, path.Clean("./"+dir))
		if errors.Is(err, fs.ErrNotExist) {
			return fetched{}, wrongError{errs.Wrap(errs.Invalid, err, "The commit %s has no folder %s.", sha, dir)}
		}
		return fetched{files: files, revision: sha}, err
	}
}

// bundleAt fetches an OPA bundle over HTTP.
func bundleAt(client *http.Client, p PackConfig, secret token) fetcher {
	return func(ctx context.Context, have *copied) (fetched, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
		if err != nil {
			return fetched{}, err
		}
		req.Header.Set("User-Agent", "Tidelock")
		if have != nil && have.ETag != "" {
			req.Header.Set("If-None-Match", have.ETag)
		}
		t, err := secret(ctx)
		if err != nil {
			return fetched{}, err
		}
		if !t.Empty() {
			req.Header.Set("Authorization", "Bearer "+t.Reveal())
		}
		resp, err := client.Do(req)
		if err != nil {
			return fetched{}, unreachable(req.URL.Host, err)
		}
		defer resp.Body.Close()
		switch {
		case resp.StatusCode == http.StatusNotModified && have != nil:
			return fetched{}, errSame
		case resp.StatusCode != http.StatusOK:
			return fetched{}, errs.New(errs.Unavailable, "%s answers %s.", req.URL.Host, resp.Status)
		}
		packed, err := io.ReadAll(io.LimitReader(resp.Body, policy.MaxBundle+1))
		if err != nil {
			return fetched{}, unreachable(req.URL.Host, err)
		}
		sum := sha256.Sum256(packed)
		got := fetched{revision: "sha256:" + hex.EncodeToString(sum[:]), etag: resp.Header.Get("ETag")}
		if p.SHA256 != "" && len(packed) <= policy.MaxBundle && got.revision != "sha256:"+p.SHA256 {
			return fetched{}, wrongError{errs.New(errs.Forbidden, "The bundle has the hash %s, and the configuration asks for sha256:%s.", got.revision, p.SHA256)}
		}
		got.files, err = unpack(packed)
		return got, err
	}
}

// unpack reads an archive. Its signature is looked at with all the others'.
func unpack(packed []byte) (map[string][]byte, error) {
	b, err := policy.OpenBundle(bytes.NewReader(packed), policy.VerifyOptions{})
	if err != nil {
		return nil, wrongError{err}
	}
	return b.Files, nil
}

func unreachable(host string, err error) error {
	if errors.Is(err, egress.ErrPrivate) {
		return errs.Wrap(errs.Forbidden, err, "%s leads to an address that is not a public one. Policies come from such a one only where the server's own configuration names the host.", host)
	}
	return errs.Wrap(errs.Unavailable, err, "%s could not be asked for policies: %s.", host, cause(err))
}

// within returns the files below a folder, by their path within it.
func within(files map[string][]byte, dir string) map[string][]byte {
	if dir = path.Clean(filepath.ToSlash(dir)); dir == "." {
		return files
	}
	out := map[string][]byte{}
	for name, text := range files {
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok {
			out[rest] = text
		}
	}
	return out
}
