package binaries

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-version"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// Binary is a Terraform or OpenTofu that was run once and said its version.
type Binary struct {
	Name    string `json:"tool"`    // planner.ToolTerraform or planner.ToolOpenTofu
	Version string `json:"version"` // without a v: "1.11.4"
	Path    string `json:"path"`    // absolute
}

// Empty reports whether b is none.
func (b Binary) Empty() bool { return b.Path == "" }

// String returns "Terraform 1.11.4".
func (b Binary) String() string { return planner.ToolTitle(b.Name) + " " + b.Version }

// Options say what the server has and may fetch.
type Options struct {
	// Default is the server's own binary, which every project gets that it
	// will do for; it may be empty.
	Default Binary
	// Tool is what a project gets that names none; "" is that of Default,
	// and Terraform where there is none.
	Tool string
	// Dirs are folders of installed versions, which are only read: see
	// installed.go for how they may be laid out.
	Dirs []string
	// Dir keeps what is downloaded, as TOOL/VERSION/BINARY. It is made when
	// it is needed. Where it is "", nothing is downloaded.
	Dir string
	// Download allows downloads.
	Download bool
	// TerraformURL and OpenTofuURL are where releases come from; "" is where
	// their makers publish them. See fetch.go for what stands there.
	TerraformURL, OpenTofuURL string
	// TerraformKey and OpenTofuKey are armoured OpenPGP keys in the place of
	// those that the makers sign with. Only tests have others.
	TerraformKey, OpenTofuKey string
	// Transport carries the requests; nil is one as http.DefaultTransport.
	Transport http.RoundTripper
	// ListAge is how old a list of releases may be that is chosen from; 0 is
	// an hour.
	ListAge time.Duration
	// Keep is how many versions of a tool are kept that were downloaded: a
	// repository may name any. 0 is 20. Beyond that the one goes that rested
	// longest, for a day at least.
	Keep int
	// Progress is told of a download under way; nil is nobody.
	Progress func(Binary, Download)
	// Inspect runs a binary to learn what it is; nil is the usual way.
	Inspect func(ctx context.Context, path string) (tool, version string, err error)
	Log     *slog.Logger
	Now     func() time.Time

	pause time.Duration // before a second try; 0 is two seconds
}

// Download is how far a download is.
type Download struct {
	Done, Total int64 // bytes; Total is 0 while it is not known
}

// Store finds and fetches binaries. Its methods may be called at the same time.
type Store struct {
	o Options

	mu     sync.Mutex
	known  map[fileID]inspected // what binaries said when they were run
	chosen map[string]chosen    // by what was asked for
}

type chosen struct {
	binary Binary
	at     time.Time
}

// chosenAge is how long a choice holds that was made before: a version that is
// installed meanwhile is seen after it.
const chosenAge = time.Minute

// Open returns a store. It does not look at the folders yet.
func Open(o Options) *Store {
	if o.ListAge == 0 {
		o.ListAge = time.Hour
	}
	if o.Keep == 0 {
		o.Keep = 20
	}
	o.Download = o.Download && o.Dir != ""
	o.pause = cmp.Or(o.pause, 2*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Inspect == nil {
		o.Inspect = inspect
	}
	o.TerraformURL = cmp.Or(strings.TrimRight(o.TerraformURL, "/"), terraformReleases)
	o.Tool = cmp.Or(o.Tool, o.Default.Name, planner.ToolTerraform)
	return &Store{o: o, known: map[fileID]inspected{}, chosen: map[string]chosen{}}
}

// Default returns the server's own binary, an empty one where it has none.
func (s *Store) Default() Binary { return s.o.Default }

// Choice is which version a project gets, and how.
type Choice struct {
	Binary        // Path is "" where it would have to be downloaded
	Source string `json:"source"` // SourceDefault, SourceInstalled, SourceDownloaded or SourceDownload
}

// Where binaries come from, as people are told.
const (
	SourceDefault    = "terraform.binary"     // the server's own
	SourceInstalled  = "terraform.tools_dirs" // somebody put it there
	SourceDownloaded = "downloaded"
	SourceDownload   = "to be downloaded"
)

// Resolve returns the binary that the project gets that asks for want, and
// downloads it where that is needed and allowed. The error is errs.Invalid
// where nothing can meet what is asked for, errs.NotFound where nothing here
// does, and errs.Unavailable where a download failed; its sentence says what
// asked for it, what there is, and how to mend it.
func (s *Store) Resolve(ctx context.Context, want planner.Tool) (Binary, error) {
	key, err := json.Marshal(want)
	if err != nil {
		return Binary{}, fmt.Errorf("resolve %s: %w", want, err)
	}
	s.mu.Lock()
	known, ok := s.chosen[string(key)]
	s.mu.Unlock()
	if age := s.o.Now().Sub(known.at); ok && age >= 0 && age < chosenAge {
		if _, err := os.Stat(known.binary.Path); err == nil {
			return known.binary, nil
		}
	}
	c, err := s.Choose(ctx, want, true)
	if err != nil {
		return Binary{}, err
	}
	b := c.Binary
	if c.Source == SourceDownload {
		if b, err = s.fetch(ctx, c.Name, c.Version); err != nil {
			return Binary{}, s.unfetched(want, c.Binary, err)
		}
	}
	s.markUsed(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.chosen) > 10_000 {
		clear(s.chosen)
	}
	s.chosen[string(key)] = chosen{b, s.o.Now()}
	return b, nil
}

// Choose is Resolve without the download: it may ask for the list of releases
// where ask is set, and uses the last one that was asked for otherwise.
func (s *Store) Choose(ctx context.Context, want planner.Tool, ask bool) (Choice, error) {
	if want.Problem.Message != "" {
		return Choice{}, errs.New(errs.Invalid, "%s", want.Problem)
	}
	want.Name = cmp.Or(want.Name, s.o.Tool)
	meets, err := rule(want)
	if err != nil {
		return Choice{}, errs.New(errs.Invalid, "What is asked for can't be understood. %s.", err)
	}
	here := s.candidates(want.Name)
	switch want.Pick {
	case "":
		// The server's own comes first where it will do, whatever else is
		// there: that is what makes it the default.
		slices.SortStableFunc(here, func(a, b candidate) int {
			return cmp.Or(-cmpBool(a.source == SourceDefault, b.source == SourceDefault), b.version.Compare(a.version))
		})
		if c, ok := s.first(ctx, here, meets); ok {
			return c, nil
		}
	case planner.PickOldest:
		slices.Reverse(here)
	}
	v := exactly(want)
	if !s.o.Download || v != nil {
		if c, ok := s.first(ctx, here, meets); ok {
			return c, nil
		}
	}
	switch {
	case v != nil && v.LessThan(oldest):
		return Choice{}, s.missing(want, fmt.Sprintf("What is older than %s can't be used here, since its plans lack what is read out of them.", oldest))
	case v != nil && !meets(v):
		return Choice{}, s.missing(want, "No version can meet all of that.")
	case !s.o.Download:
		return Choice{}, s.missing(want, "")
	case v != nil:
		return Choice{Binary{Name: want.Name, Version: v.String()}, SourceDownload}, nil
	}
	list, err := s.releases(ctx, want.Name, ask)
	if err != nil {
		if c, ok := s.first(ctx, here, meets); ok {
			s.o.Log.Warn("the list of releases is not to be had; the choice is made of what is installed", "tool", want.Name, "error", err)
			return c, nil
		}
		return Choice{}, s.missing(want, "The list of releases could not be read: "+errs.Sentence(err))
	}
	return s.fromList(ctx, want, here, list, meets)
}

// fromList chooses of what there is to be had.
func (s *Store) fromList(ctx context.Context, want planner.Tool, here []candidate, list []*version.Version, meets func(*version.Version) bool) (Choice, error) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b *version.Version) int { return b.Compare(a) })
	if want.Pick == planner.PickOldest {
		slices.Reverse(list)
	}
	better := func(a, b *version.Version) bool {
		if want.Pick == planner.PickOldest {
			return a.LessThan(b)
		}
		return a.GreaterThan(b)
	}
	c, have := s.first(ctx, here, meets)
	for _, v := range list {
		if !meets(v) || v.LessThan(oldest) {
			continue
		}
		if have && !better(v, version.Must(version.NewVersion(c.Version))) {
			return c, nil
		}
		return Choice{Binary{Name: want.Name, Version: v.String()}, SourceDownload}, nil
	}
	if have {
		return c, nil
	}
	return Choice{}, s.missing(want, "Of the releases that there are, none meets that.")
}

// first returns the first of the candidates that meets the rule and is what it
// is said to be.
func (s *Store) first(ctx context.Context, list []candidate, meets func(*version.Version) bool) (Choice, bool) {
	for _, c := range list {
		// Whatever version the server's own is, a development build too, its
		// owner has chosen it.
		if !meets(c.version) && (c.source != SourceDefault || !meets(c.version.Core())) {
			continue
		}
		if c.source != SourceDefault {
			if c.version.LessThan(oldest) {
				continue
			}
			if err := s.confirm(ctx, c); err != nil {
				s.o.Log.Warn("an installed tool is passed over", "path", c.path, "error", err)
				continue
			}
		}
		return Choice{Binary{Name: c.name, Version: c.version.String(), Path: c.path}, c.source}, true
	}
	return Choice{}, false
}

// oldest is the first version that can be used: older ones lack import blocks
// and parts of the plan's JSON. The server's own is its owner's business.
var oldest = version.Must(version.NewVersion("1.5.0"))

// rule is planner's, with the pattern of "latest:REGEX".
func rule(want planner.Tool) (func(*version.Version) bool, error) {
	meets, err := want.Rule()
	if err != nil {
		return nil, err
	}
	pattern, err := regexp.Compile(want.Match)
	if err != nil {
		return nil, fmt.Errorf("%q is no regular expression", want.Match)
	}
	return func(v *version.Version) bool {
		return meets(v) && (want.Match == "" || pattern.MatchString(v.String()))
	}, nil
}

// exactly returns the one version that is asked for by its number, nil where
// there is a choice.
func exactly(want planner.Tool) *version.Version {
	for _, n := range want.Needs {
		bare := strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(n.Constraint), "="))
		if strings.ContainsAny(bare, ",<>!~") {
			continue
		}
		if v, err := version.NewVersion(bare); err == nil {
			return v
		}
	}
	return nil
}

func cmpBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// missing says that nothing here meets what is asked for.
func (s *Store) missing(want planner.Tool, why string) error {
	title := planner.ToolTitle(want.Name)
	have := map[string][]string{}
	var sources []string
	for _, c := range s.candidates(want.Name) {
		if have[c.source] == nil {
			sources = append(sources, c.source)
		}
		if len(have[c.source]) < 10 {
			have[c.source] = append(have[c.source], c.version.String())
		}
	}
	there := "This server has no " + title + "."
	if len(sources) > 0 {
		var parts []string
		for _, source := range sources {
			parts = append(parts, fmt.Sprintf("%s (%s)", strings.Join(have[source], ", "), source))
		}
		there = fmt.Sprintf("This server has %s %s.", title, strings.Join(parts, "; "))
	}
	mend := fmt.Sprintf("Ask for one that it has, or have its operator install one with `tidelock tools install %s VERSION`", want.Name)
	switch {
	case why != "":
		mend = " " + why + " " + mend + "."
	case s.o.Download:
		mend = " " + mend + "."
	default:
		mend = " It downloads none, since terraform.download is off. " + mend + ", put one into a folder of terraform.tools_dirs, or set terraform.download."
	}
	return errs.New(errs.NotFound, "No %s that is here meets what is asked for: %s. %s%s", title, want, there, mend)
}

// unfetched says that what was chosen could not be downloaded.
func (s *Store) unfetched(want planner.Tool, b Binary, err error) error {
	setting := "terraform.releases_url"
	if b.Name == planner.ToolOpenTofu {
		setting = "terraform.opentofu_releases_url"
	}
	return errs.Wrap(errs.KindOf(err), err, "%s could not be downloaded%s. %s Until that is mended, its operator can install it with `tidelock tools install`, put it into a folder of terraform.tools_dirs, or name a mirror in %s.",
		b, askers(want), errs.Sentence(err), setting)
}

// askers names the places that ask for a version.
func askers(want planner.Tool) string {
	var places []string
	for _, n := range want.Needs {
		places = append(places, n.From)
	}
	if len(places) == 0 && want.From != "" {
		places = []string{want.From}
	}
	if len(places) == 0 {
		return ""
	}
	return ", which " + strings.Join(slices.Compact(places), " and ") + " asked for"
}

// Install downloads the version that want asks for even where another one here
// would do, and even where Resolve may not.
func (s *Store) Install(ctx context.Context, want planner.Tool) (Binary, error) {
	alone := &Store{o: s.o, known: map[fileID]inspected{}, chosen: map[string]chosen{}}
	alone.o.Default, alone.o.Dirs, alone.o.Download = Binary{}, nil, s.o.Dir != ""
	if want.Pick == "" {
		want.Pick = planner.PickNewest
	}
	return alone.Resolve(ctx, want)
}

// dir is where a version is kept that was downloaded.
func (s *Store) dir(name, v string) string { return filepath.Join(s.o.Dir, name, v) }
