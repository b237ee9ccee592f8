package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// statesPage lists the states that are kept here.
type statesPage struct {
	States   []stateView   `json:"states"`
	Restores []restoreView `json:"restores"` // that wait for somebody to approve them
	chooser
}

// stateView is a state as lists have it.
type stateView struct {
	Client  string         `json:"client"`
	Name    string         `json:"name"`
	URL     string         `json:"url"`
	Exists  bool           `json:"exists"`
	Serial  int64          `json:"serial"`
	Lineage string         `json:"lineage"`
	Version int64          `json:"last_version"`
	Frozen  string         `json:"frozen,omitempty"`
	Written moment         `json:"written_at,omitzero"`
	Lock    *stateLockView `json:"lock,omitempty"`
	// Current is the version that counts, nil for none.
	Current *versionView `json:"current,omitempty"`
}

// stateLockView is who holds a state.
type stateLockView struct {
	ID        string       `json:"id"`
	Operation string       `json:"operation,omitempty"`
	Who       string       `json:"who,omitempty"`
	Actor     access.Actor `json:"actor"`
	Run       string       `json:"run_id,omitempty"`
	Since     moment       `json:"taken_at"`
}

// Holder names who holds it.
func (l stateLockView) Holder() string {
	if l.Who != "" {
		return plain(l.Who)
	}
	return plain(l.Actor.String())
}

// versionView is a version of a state.
type versionView struct {
	Version   int64        `json:"version"`
	Counts    bool         `json:"counts"`
	Kind      string       `json:"kind"`
	Serial    int64        `json:"serial"`
	Lineage   string       `json:"lineage"`
	Size      int64        `json:"size"`
	SHA256    string       `json:"sha256"`
	Tool      string       `json:"terraform_version,omitempty"`
	Encrypted bool         `json:"encrypted_by_client,omitempty"`
	Instances int          `json:"instances"`
	Actor     access.Actor `json:"actor"`
	Run       string       `json:"run_id,omitempty"`
	Commit    string       `json:"commit,omitempty"`
	Reason    string       `json:"reason,omitempty"`
	Created   moment       `json:"created_at"`

	DiffURL string `json:"-"` // how it differs from the one before
}

// Bytes is the size for people.
func (v versionView) Bytes() string { return humanize.IBytes(uint64(v.Size)) }

// restoreView is somebody's wish that an older version count again.
type restoreView struct {
	ID      string       `json:"id"`
	State   string       `json:"state"` // CLIENT/NAME
	URL     string       `json:"url"`
	Version int64        `json:"version"`
	Reason  string       `json:"reason"`
	AskedBy access.Actor `json:"asked_by"`
	Asked   moment       `json:"asked_at"`
}

// statePage is one state.
type statePage struct {
	State    stateView     `json:"state"`
	Versions []versionView `json:"versions"` // the newest first
	Restores []restoreView `json:"restores"`
	Errored  []erroredView `json:"errored"`        // what runs could not write, and can be pushed yet
	Diff     *diffView     `json:"diff,omitempty"` // where two versions were asked for
	More     bool          `json:"more"`           // there are older ones
	From, To int64         `json:"-"`

	Done    string `json:"-"` // a sentence: what was done by the form
	Refused string `json:"-"` // why it was not
	Reason  string `json:"-"` // as it was typed
}

// Restorable are the versions that a restore may be asked for.
func (p statePage) Restorable() []versionView {
	var out []versionView
	for _, v := range p.Versions {
		if !v.Counts && v.Kind != state.KindErrored {
			out = append(out, v)
		}
	}
	return out
}

// erroredView is a version that a run could not write.
type erroredView struct {
	versionView
	Resources int    `json:"resources"`
	Base      *int64 `json:"base_serial,omitempty"` // that the run began from, where that is known
	Backend   string `json:"backend,omitempty"`     // where the project keeps its state, if that is not here
}

// diffView is how two versions differ.
type diffView struct {
	From      int64                 `json:"from"`
	To        int64                 `json:"to"`
	Resources []state.ResourceDiff  `json:"resources"`
	Outputs   []state.AttributeDiff `json:"outputs"`
	Omitted   int                   `json:"omitted"` // resources that are not listed
	Trouble   string                `json:"trouble,omitempty"`
}

// Bounds of the page of a state.
const (
	shownVersions = 100
	shownDiff     = 300     // resources
	shownUnasked  = 8 << 20 // bytes of a version that is compared though nobody asked
)

func stateURL(client, name string) string { return "/states/" + url.PathEscape(client) + "/" + name }

func (s *site) viewState(st state.State, client string) stateView {
	v := stateView{
		Client: client, Name: st.Name, URL: stateURL(client, st.Name), Exists: st.Exists(), Serial: st.Serial, Lineage: st.Lineage, Version: st.Seq, Frozen: st.Frozen, Written: s.at(st.Written),
	}
	if l := st.Lock; l != nil {
		v.Lock = &stateLockView{l.ID, l.Operation, l.Who, l.Actor, l.Run, s.at(l.Since)}
	}
	return v
}

func (s *site) viewVersion(v state.Version, current string) versionView {
	return versionView{
		Version: v.Seq, Counts: v.ID == current, Kind: v.Kind, Serial: v.Serial, Lineage: v.Lineage, Size: v.Size, SHA256: v.SHA256, Tool: v.TerraformVersion, Encrypted: v.Encrypted,
		Instances: v.Instances, Actor: v.Actor, Run: v.Run, Commit: v.Commit, Reason: plain(v.Reason), Created: s.at(v.Created),
	}
}

var errNoStates = errs.New(errs.NotFound, "This server keeps no states.")

func (s *site) states(r *http.Request) (shown, error) {
	if s.States == nil {
		return shown{}, errNoStates
	}
	ctx := r.Context()
	p := statesPage{States: []stateView{}, Restores: []restoreView{}}
	l, err := s.listing(ctx, s.DB, r)
	if err != nil {
		return shown{}, err
	}
	p.chooser = l.chooser("")
	slugs := slugsOf(l.clients)
	all, err := s.States.States(ctx, l.client.ID)
	if err != nil {
		return shown{}, err
	}
	current, err := s.currentVersions(r, l.client.ID)
	if err != nil {
		return shown{}, err
	}
	byID := map[string]state.State{}
	for _, st := range all {
		byID[st.ID] = st
		v := s.viewState(st, slugs[st.Client])
		if one, ok := current[st.Current]; ok && st.Exists() {
			v.Current = &one
		}
		p.States = append(p.States, v)
	}
	p.Restores, err = s.restores(r, l.client.ID, byID, slugs)
	return shown{title: "States", nav: "states", live: calm, data: p}, err
}

// currentVersions returns the versions that count by their IDs, with as much
// as a list shows.
func (s *site) currentVersions(r *http.Request, client string) (map[string]versionView, error) {
	out := map[string]versionView{}
	_, err := rows(r.Context(), s.DB, func(scan func(...any) error) (struct{}, error) {
		var id, actor string
		var v versionView
		var created, encrypted int64
		err := scan(&id, &v.Version, &v.Kind, &v.Serial, &v.Lineage, &v.Size, &v.SHA256, &v.Tool, &encrypted, &v.Instances, &actor, &v.Run, &v.Commit, &v.Reason, &created)
		if err == nil {
			err = parse(actor, &v.Actor)
		}
		v.Reason = plain(v.Reason)
		v.Counts, v.Encrypted, v.Created = true, encrypted == 1, s.at(db.FromMillis(created))
		out[id] = v
		return struct{}{}, err
	}, `SELECT v.id, v.seq, v.kind, v.serial, v.lineage, v.size, v.sha256, v.terraform_version, v.encrypted, v.instances, v.actor, v.run_id, v.commit_sha, v.reason, v.created_ms
		FROM state_versions v JOIN states s ON s.version_id = v.id WHERE $1 = '' OR s.client_id = $1`, client)
	return out, err
}

// restores are those that wait, of the states that are given.
func (s *site) restores(r *http.Request, client string, of map[string]state.State, slugs map[string]string) ([]restoreView, error) {
	all, err := s.States.Restores(r.Context(), client, 1000)
	if err != nil {
		return nil, err
	}
	out := []restoreView{}
	for _, one := range all {
		st, ok := of[one.State]
		if !ok || !one.Waits(s.Now()) {
			continue
		}
		v := restoreView{ID: one.ID, State: slugs[st.Client] + "/" + st.Name, URL: stateURL(slugs[st.Client], st.Name), Reason: plain(one.Reason), AskedBy: one.AskedBy, Asked: s.at(one.Asked)}
		if err := s.DB.QueryRowContext(r.Context(), `SELECT coalesce(max(seq), 0) FROM state_versions WHERE id = $1`, one.Version).Scan(&v.Version); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *site) state(r *http.Request) (shown, error) {
	if s.States == nil {
		return shown{}, errNoStates
	}
	ctx, name := r.Context(), mux.Vars(r)["project"]
	client, err := s.Clients.BySlug(ctx, s.DB, mux.Vars(r)["client"])
	if err != nil {
		return shown{}, err
	}
	if state.CheckName(name) != nil {
		return shown{}, errs.New(errs.NotFound, "There is no such state.")
	}
	st, err := s.States.State(ctx, client.ID, name)
	if err != nil {
		return shown{}, err
	}
	p := statePage{State: s.viewState(st, client.Slug), Versions: []versionView{}}
	versions, err := s.States.Versions(ctx, client.ID, name, shownVersions+1)
	if err != nil {
		return shown{}, err
	}
	if p.More = len(versions) > shownVersions; p.More {
		versions = versions[:shownVersions]
	}
	for i, v := range versions {
		one := s.viewVersion(v, st.Current)
		if i+1 < len(versions) {
			one.DiffURL = p.State.URL + "?from=" + strconv.FormatInt(versions[i+1].Seq, 10) + "&to=" + strconv.FormatInt(v.Seq, 10) + "#diff"
		}
		if one.Counts {
			p.State.Current = &one
		}
		p.Versions = append(p.Versions, one)
	}
	left, err := s.States.ErroredOf(ctx, st)
	if err != nil {
		return shown{}, err
	}
	p.Errored = []erroredView{}
	for _, one := range left {
		v := erroredView{versionView: s.viewVersion(one.Version, st.Current), Resources: one.Resources, Backend: one.Base.Backend}
		if one.Known && one.Base.Serial >= 0 {
			v.Base = &one.Base.Serial
		}
		p.Errored = append(p.Errored, v)
	}
	p.Done = actsDone[r.URL.Query().Get("done")]
	if p.Restores, err = s.restores(r, client.ID, map[string]state.State{st.ID: st}, map[string]string{client.ID: client.Slug}); err != nil {
		return shown{}, err
	}
	err = s.compare(r, &p, client.ID, name)
	return shown{title: client.Slug + "/" + name, nav: "states", data: p}, err
}

// compare adds how two versions differ, where two were asked for.
func (s *site) compare(r *http.Request, p *statePage, client, name string) error {
	form := r.URL.Query()
	if form.Get("from") == "" && form.Get("to") == "" {
		if len(p.Versions) > 1 {
			p.From, p.To = p.Versions[1].Version, p.Versions[0].Version
		}
		if len(p.Errored) == 0 || p.Errored[0].Size > shownUnasked || strings.HasPrefix(r.URL.Path, "/api/") {
			return nil
		}
		// Whoever comes here with one that waits comes to judge it.
		p.From, p.To = 0, p.Errored[0].Version
		if c := p.State.Current; c != nil {
			p.From = c.Version
		}
	} else {
		for key, into := range map[string]*int64{"from": &p.From, "to": &p.To} {
			n, err := strconv.ParseInt(form.Get(key), 10, 64)
			if err != nil || n < 0 {
				return errs.New(errs.Invalid, "from and to must be numbers of versions; 0 is what is there before the first.")
			}
			*into = n
		}
	}
	d, err := s.States.Compare(r.Context(), client, name, p.From, p.To)
	v := diffView{From: p.From, To: p.To, Resources: []state.ResourceDiff{}, Outputs: []state.AttributeDiff{}}
	switch {
	case errs.Is(err, errs.Conflict), errs.Is(err, errs.TooLarge):
		v.Trouble = errs.Sentence(err)
	case err != nil:
		return err
	}
	v.Resources, v.Outputs = append(v.Resources, d.Resources...), append(v.Outputs, d.Outputs...)
	if len(v.Resources) > shownDiff {
		v.Omitted = len(v.Resources) - shownDiff
		v.Resources = v.Resources[:shownDiff]
	}
	p.Diff = &v
	return nil
}

// Same reports whether nothing differs.
func (d diffView) Same() bool { return len(d.Resources)+len(d.Outputs) == 0 && d.Trouble == "" }

// sideText is one side of a value that differs.
func sideText(side *string) string {
	if side == nil {
		return "(none)"
	}
	return plain(*side)
}

func diffSign(action string) badge {
	switch action {
	case state.Added:
		return badge{"add", "+"}
	case state.Removed:
		return badge{"del", "-"}
	}
	return badge{"mod", "~"}
}
