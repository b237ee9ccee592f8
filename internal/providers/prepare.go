package providers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/hashicorp/go-version"
	"golang.org/x/sync/errgroup"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// Request is a run that is about to start.
type Request struct {
	Root    fs.FS // the work tree; the FS of an os.Root
	Project planner.Project
	Tool    string // planner.ToolTerraform or planner.ToolOpenTofu
	// Lock stands in the place of the project's own lock file: an apply gets
	// that of its plan. nil is the project's own.
	Lock []byte
}

// Prepared is what a run gets.
type Prepared struct {
	CLIConfig string    // path of the CLI configuration
	Packages  []Package // in the store, sorted
	// Lock is what the project's lock file has to hold in the work tree; nil
	// where it may stay as it is. It pins the same packages, with checksums
	// that a mirror of unpacked packages is verified by.
	Lock []byte
	// Notes are sentences for the log of the run: what the run may have to
	// fetch itself, and why.
	Notes []string
}

// want is one provider that a run needs.
type want struct {
	Address
	need      planner.ProviderNeed // the first place that asks; Path is "" where only the lock file does
	wish      wish
	pin       pin
	pinned    bool // the lock file has the provider
	optional  bool // nothing in the code asks for it
	satisfied bool // by the operator's folder
	pkg       *Package
	addH1     bool
	note      string
}

// maxWants is how many providers a run may have: a pull request must not fill
// the disk with packages. Large projects have some thirty.
const maxWants = 100

// place is where a provider is asked for, as the beginning of a sentence.
func (w *want) place(dir string) string {
	switch {
	case w.need.Path == "":
		return path.Join(dir, lockName)
	case w.need.Line > 0:
		return fmt.Sprintf("%s:%d", w.need.Path, w.need.Line)
	}
	return w.need.Path
}

// Prepare brings what a run needs into the store, and writes its CLI
// configuration. What a source can't give now is left to the run itself where
// Direct allows that, with a note. An error of a kind other than Internal is
// told to people as it is: errs.Forbidden for a provider that may not be used,
// or whose package is not what it should be; errs.Invalid for a lock file that
// does not fit; errs.NotFound and errs.Unavailable where there is no source for
// it. Nothing may run then.
func (s *Store) Prepare(ctx context.Context, r Request) (Prepared, error) {
	needs, err := planner.NeedsProviders(r.Root, r.Project)
	if err != nil {
		return Prepared{}, err
	}
	lock := r.Lock
	if lock == nil {
		if lock, err = readLock(r.Root, r.Project.Dir); err != nil {
			return Prepared{}, err
		}
	}
	wants, err := s.wants(needs, lock, r)
	if err != nil {
		return Prepared{}, err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, w := range wants {
		g.Go(func() error { return s.provide(gctx, w, r) })
	}
	if err := g.Wait(); err != nil {
		return Prepared{}, err
	}
	var out Prepared
	more := map[Address][]string{}
	for _, w := range wants {
		if w.note != "" {
			out.Notes = append(out.Notes, w.note)
		}
		if w.pkg == nil {
			continue
		}
		out.Packages = append(out.Packages, *w.pkg)
		if w.addH1 {
			more[w.Address] = []string{w.pkg.H1}
		}
	}
	if len(more) > 0 && r.Lock == nil {
		if out.Lock, err = amendLock(lock, more); err != nil {
			return Prepared{}, err
		}
	}
	out.CLIConfig, err = s.view(ctx, wants, needs.Partial)
	return out, err
}

// wants puts together what the code asks for and what the lock file pins, and
// refuses what the allow-list does not hold.
func (s *Store) wants(needs planner.ProviderNeeds, lock []byte, r Request) ([]*want, error) {
	pins := parseLock(lock)
	byAddress := map[Address]*want{}
	var refused []string
	for _, n := range needs.Providers {
		a, err := addressOf(n, r.Tool)
		if err != nil || a.IsBuiltIn() {
			continue // the tool tells what is wrong with it
		}
		w := byAddress[a]
		if w == nil {
			w = &want{Address: a, need: n}
			byAddress[a] = w
			if !allowed(s.o.Allow, a) {
				refused = append(refused, fmt.Sprintf("%s requires the provider %s, which this server does not allow: terraform.provider_allow in its configuration lists %s. Use another provider, or ask whoever runs the server to allow it.",
					w.place(r.Project.Dir), a, strings.Join(patternTexts(s.o.Allow), ", ")))
			}
		}
		w.wish.constraints = append(w.wish.constraints, n.Versions...)
	}
	if len(byAddress) > maxWants {
		return nil, errs.New(errs.TooLarge, "The code of %s requires %d providers, more than the %d that a run may have.", r.Project.Dir, len(byAddress), maxWants)
	}
	if len(refused) > 0 {
		return nil, errs.New(errs.Forbidden, "%s", strings.Join(refused, "\n"))
	}
	for a, p := range pins {
		w := byAddress[a]
		if w == nil {
			if len(byAddress) == maxWants || a.IsBuiltIn() || !allowed(s.o.Allow, a) || isForeign(a, r.Tool) {
				continue
			}
			w = &want{Address: a, optional: true}
			byAddress[a] = w
		}
		w.pin, w.pinned, w.wish.exact = p, true, p.version
	}
	if r.Tool == planner.ToolOpenTofu {
		// As OpenTofu does, which takes over what Terraform chose.
		for a, w := range byAddress {
			old := a
			old.Hostname = terraformHost
			if p, ok := pins[old]; ok && !w.pinned && a.Hostname == openTofuHost && a.Namespace == "hashicorp" {
				w.wish.exact = p.version
			}
		}
	}
	out := make([]*want, 0, len(byAddress))
	for _, w := range byAddress {
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b *want) int { return cmp.Compare(a.String(), b.String()) })
	return out, nil
}

// isForeign reports whether an address is on the other tool's own registry:
// one that only the lock file has is of no use to this tool.
func isForeign(a Address, tool string) bool {
	return (a.Hostname == terraformHost || a.Hostname == openTofuHost) && a.Hostname != defaultHost(tool)
}

// provide finds or fetches one provider.
func (s *Store) provide(ctx context.Context, w *want, r Request) error {
	if err := w.fits(r.Project.Dir); err != nil {
		return err
	}
	if have, err := s.inMirror(w, r.Project.Dir); err != nil || have {
		w.satisfied = have
		return err
	}
	p, note, err := s.obtain(ctx, w)
	switch {
	case ctx.Err() != nil:
		return cmp.Or(err, ctx.Err())
	case err == nil:
	case w.optional && !errs.Is(err, errs.Forbidden):
		w.note = fmt.Sprintf("%s is in the lock file, and could not be fetched beforehand. %s", w.Address, sentenceOf(err))
		return nil
	case errors.Is(err, errAbsent), errs.Is(err, errs.Unavailable), errs.Is(err, errs.NotFound):
		if s.o.Direct {
			w.note = fmt.Sprintf("%s could not be fetched beforehand, so that the run asks for it itself. %s", w.Address, sentenceOf(err))
			return nil
		}
		return errs.Wrap(errs.KindOf(absentToNotFound(err)), err, "%s requires the provider %s (%s), and this server can't get it. %s", w.place(r.Project.Dir), w.Address, w.wish, s.sentence(err))
	default:
		return fmt.Errorf("prepare %s: %w", w.Address, err)
	}
	err = w.checkLock(p, r)
	if w.optional && errs.Is(err, errs.Invalid) { // perhaps nothing needs it any more
		w.note = errs.Sentence(err)
		return nil
	}
	w.pkg, w.note = &p, note
	return err
}

func absentToNotFound(err error) error {
	if errors.Is(err, errAbsent) && errs.Is(err, errs.Internal) {
		return errs.New(errs.NotFound, "It is not there.")
	}
	return err
}

func sentenceOf(err error) string {
	if errors.Is(err, errAbsent) {
		return "No source has it."
	}
	return errs.Sentence(err)
}

// sentence says why a provider can't be had at all, and how to mend it.
func (s *Store) sentence(err error) string {
	switch {
	case !errors.Is(err, errAbsent):
		return errs.Sentence(err)
	case len(s.sources()) == 0:
		return "It is neither in the server's folder of providers (terraform.provider_mirror) nor in its store, and it may ask no registry (terraform.provider_direct is false). Put it into the folder, or fetch it with tidelock providers fetch on the server."
	}
	return "No source that it may ask has it for this platform."
}

// fits refuses a pin that the code's constraints exclude, as init would.
func (w *want) fits(dir string) error {
	if w.wish.exact == "" || w.optional {
		return nil
	}
	v, err := version.NewVersion(w.wish.exact)
	if err != nil {
		return errs.New(errs.Invalid, "The lock file %s pins %s to %q, which is not a version.", path.Join(dir, lockName), w.Address, w.wish.exact)
	}
	ok, err := w.wish.meets(v)
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "%s asks for %s with a constraint that is not understood. %s", w.place(dir), w.Address, errs.Sentence(err))
	}
	if !ok && v.Prerelease() == "" {
		return errs.New(errs.Invalid, "The lock file %s pins %s to %s, but the code asks for %s (%s). Run init -upgrade in %s, and commit the lock file.",
			path.Join(dir, lockName), w.Address, v, strings.Join(w.wish.constraints, ", "), w.place(dir), dir)
	}
	return nil
}

// obtain returns the package that a wish means. Where no source can be asked,
// what the store holds already will do.
func (s *Store) obtain(ctx context.Context, w *want) (p Package, note string, err error) {
	v, err := s.choose(ctx, w.Address, w.wish)
	if err != nil && w.wish.exact == "" && ctx.Err() == nil && (errors.Is(err, errAbsent) || errs.Is(err, errs.Unavailable)) {
		best, berr := w.wish.newest(s.stored(w.Address))
		if berr == nil && best != nil {
			if len(s.sources()) > 0 {
				note = fmt.Sprintf("%s %s is taken from the store as it is: which versions there are now could not be asked. %s", w.Address, best, sentenceOf(err))
			}
			v, err = best.String(), nil
		}
	}
	if err != nil {
		return p, "", err
	}
	p, err = s.ensure(ctx, w.Address, v)
	return p, cmp.Or(note, p.Note), err
}

// stored returns the versions of a provider that are in the store.
func (s *Store) stored(a Address) []*version.Version {
	var out []*version.Version
	found, _ := filepath.Glob(filepath.Join(s.o.Dir, "meta", a.Hostname.ForDisplay(), a.Namespace, a.Type, "*", s.o.Platform+".json"))
	for _, file := range found {
		if v, err := version.NewVersion(filepath.Base(filepath.Dir(file))); err == nil {
			out = append(out, v)
		}
	}
	return out
}

// checkLock compares a package with what the lock file says of it.
func (w *want) checkLock(p Package, r Request) error {
	if !w.pinned || len(w.pin.hashes) == 0 {
		return nil
	}
	switch judge(w.pin.hashes, p) {
	case matches:
		w.addH1 = !slices.Contains(w.pin.hashes, p.H1)
		return nil
	case differs:
		return errs.New(errs.Forbidden, "The lock file %s:%d pins %s %s by checksums that are not of this release as %s has it now: the package is another one than was locked, and nothing was run. Find out which of them was altered. If the new one is right, remove the provider's block from the lock file, run init in %s, and commit it.",
			path.Join(r.Project.Dir, lockName), w.pin.line, w.Address, p.Version, p.Source, r.Project.Dir)
	}
	return w.noPlatform(r.Project.Dir, r.Tool, p.Platform, p.Source)
}

// noPlatform says that a lock file lacks this platform, and how to mend it.
func (w *want) noPlatform(dir, tool, platform, from string) error {
	command := "terraform"
	if tool == planner.ToolOpenTofu {
		command = "tofu"
	}
	return errs.New(errs.Invalid, "The lock file %s:%d has no checksum of %s %s for the platform %s, which this server runs on: the package from %s matches none of those that are there. It was probably written on another platform. Run this in %s, with -platform= for each platform that you use, and commit the file: %s providers lock -platform=%s",
		path.Join(dir, lockName), w.pin.line, w.Address, w.pin.version, platform, from, dir, command, platform)
}

type verdict int

const (
	matches verdict = iota
	lacks           // the lock file may be of the same release, for other platforms
	differs         // it is of another one
)

// judge compares the checksums of a lock file with a package.
func judge(hashes []string, p Package) verdict {
	if slices.Contains(hashes, p.H1) || slices.Contains(hashes, p.ZH) {
		return matches
	}
	archives := slices.DeleteFunc(slices.Clone(hashes), func(h string) bool { return !strings.HasPrefix(h, "zh:") })
	same := slices.ContainsFunc(archives, func(h string) bool { return slices.Contains(p.Sums, h) })
	if len(archives) > 0 && len(p.Sums) > 0 && !same {
		return differs
	}
	return lacks
}

// AmendLock writes the lock file that Prepare asked for into the work tree, in
// place of whatever is there, a link too.
func (p Prepared) AmendLock(root *os.Root, dir string) error {
	if p.Lock == nil {
		return nil
	}
	name := filepath.Join(filepath.FromSlash(dir), lockName)
	if old, err := root.ReadFile(name); err == nil && bytes.Equal(old, p.Lock) {
		return nil
	}
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("amend %s: %w", lockName, err)
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("amend %s: %w", lockName, err)
	}
	_, err = f.Write(p.Lock)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("amend %s: %w", lockName, err)
	}
	return nil
}

// view makes the folder of links to the packages of a run, and the CLI
// configuration beside it. Runs that need the same share one.
func (s *Store) view(ctx context.Context, wants []*want, partial bool) (string, error) {
	var ids, exclude []string
	for _, w := range wants {
		if w.pkg != nil {
			ids = append(ids, s.id(w.Address, w.pkg.Version))
		}
		// Code that is not known may ask for another version of what nothing
		// pins: then its registry has to be asked, too.
		if (w.pkg != nil || w.satisfied) && (w.wish.exact != "" || !partial) {
			exclude = append(exclude, w.String())
		}
	}
	allow := patternTexts(s.o.Allow)
	key := shortHash(fmt.Sprintf("1 %q %q %q %q %v", ids, exclude, allow, s.o.Mirror, s.o.Direct))
	dir := filepath.Join(s.o.Dir, "views", key)
	config := filepath.Join(dir, "cli.tfrc")
	// A sweep must not take away what is being linked.
	f, err := s.flock(ctx, "sweep", syscall.LOCK_SH)
	if err != nil {
		return "", err
	}
	defer f.Close()
	now := s.o.Now()
	for _, id := range ids {
		if err := os.Chtimes(s.metaFile(id), now, now); err != nil {
			return "", errs.Wrap(errs.Unavailable, err, "A provider was removed from the store while this run was prepared. Try again.")
		}
	}
	if err := os.Chtimes(dir, now, now); err == nil {
		return config, nil
	}
	install := tfrun.Install{Direct: s.o.Direct, Allow: allow, Exclude: exclude}
	if s.o.Mirror != "" {
		install.Mirrors = append(install.Mirrors, tfrun.Mirror{Path: s.o.Mirror, Allow: allow})
	}
	if len(ids) > 0 {
		install.Mirrors = append(install.Mirrors, tfrun.Mirror{Path: filepath.Join(dir, "mirror")})
	}
	tmp, err := s.makeView(ids, install.CLIConfig())
	if err != nil {
		return "", fmt.Errorf("link providers: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("link providers: %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		if _, serr := os.Stat(config); serr != nil { // else somebody else was first
			return "", fmt.Errorf("link providers: %w", err)
		}
	}
	return config, nil
}

// makeView writes a view into a folder of its own.
func (s *Store) makeView(ids []string, config []byte) (dir string, err error) {
	root := filepath.Join(s.o.Dir, "tmp")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", err
	}
	if dir, err = os.MkdirTemp(root, "view-"); err != nil {
		return "", err
	}
	for _, id := range ids {
		link := filepath.Join(dir, "mirror", id)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return dir, err
		}
		if err := os.Symlink(s.packageDir(id), link); err != nil {
			return dir, err
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return dir, err
	}
	// On the disk before it gets its name: an empty one, after the machine went
	// down, would let runs install from anywhere.
	f, err := os.OpenFile(filepath.Join(dir, "cli.tfrc"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return dir, err
	}
	_, err = f.Write(config)
	return dir, errors.Join(err, f.Sync(), f.Close())
}
