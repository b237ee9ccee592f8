package githubtest

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/diff"
)

var (
	//go:embed web/pages.html
	pageSource string
	//go:embed web/style.css
	pageStyle string
	//go:embed web/live.js
	pageScript string
)

var pages = template.Must(template.New("pages").Funcs(template.FuncMap{
	"markdown": markdown,
	"short": func(sha string) string {
		if len(sha) > 7 {
			return sha[:7]
		}
		return sha
	},
	"plain":   func(login string) string { return strings.TrimSuffix(login, "[bot]") },
	"initial": func(login string) string { return strings.ToUpper(login[:1]) },
	"hue": func(login string) int {
		h := 0
		for _, c := range login {
			h = (h*31 + int(c)) % 360
		}
		return h
	},
	"css": func() template.CSS { return template.CSS(pageStyle) },
	"js":  func() template.JS { return template.JS(pageScript) },
}).Parse(pageSource))

var (
	pullPage  = regexp.MustCompile(`^/([^/]+)/([^/]+)/pull/(\d+)(/files|/version)?$`)
	checkPage = regexp.MustCompile(`^/([^/]+)/([^/]+)/runs/(\d+)$`)
)

// pageView is what a page shows.
type pageView struct {
	Title   string
	Version int64
	Repos   []repoView
	Pull    *pullView
	Check   *checkView
	Files   []fileView
	OnFiles bool
}

type repoView struct {
	Full  string
	Pulls []pullLine
}

type pullLine struct {
	Number              int
	Title, Author, When string
	State               string // open, merged, closed, draft
	Checks              string // success, failure, pending or empty
	Comments            int
	Labels              []string
}

type pullView struct {
	pullLine
	Repo             string
	Head, Base       string
	Body             string
	Commits          int
	Files            int
	Added, Deleted   int
	Items            []itemView
	List             []checkView
	Summary          string // "All checks have passed"
	Merge            string // clean, blocked, dirty, unknown, …
	MergedBy         string
	MergeSHA, Detail string
	Reviews          []reviewView
}

type itemView struct {
	Kind       string // comment, review, event
	By         string
	Bot        bool
	When, Text string
	Body       string
	SHA        string
	Edited     bool
	Minimized  string
	ID         int64
	Reactions  []string
	State      string
}

type reviewView struct{ By, State string }

type checkView struct {
	ID                   int64
	Repo                 string
	Name, State          string // success, failure, neutral, pending, …
	Title, Summary, Text string
	Took                 string
	DetailsURL           string
	Annotations          []annotation
	SHA                  string
}

type fileView struct {
	Path           string
	Added, Deleted int
	Lines          []lineView
}

type lineView struct{ Class, Text string }

// servePage serves what a person sees: the list, a pull request, a check.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "pages are for reading", http.StatusMethodNotAllowed)
		return
	}
	if m := pullPage.FindStringSubmatch(r.URL.Path); m != nil && m[4] == "/version" {
		s.serveVersion(w, r)
		return
	}
	view, name := s.view(r.URL.Path)
	if view == nil {
		http.NotFound(w, r)
		return
	}
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, view); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data:")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(page.Bytes())
}

// serveVersion answers when something has happened since the version that the
// page has, or after a while.
func (s *Server) serveVersion(w http.ResponseWriter, r *http.Request) {
	have, _ := strconv.ParseInt(r.URL.Query().Get("since"), 10, 64)
	deadline := time.NewTimer(25 * time.Second)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		now, changed := s.version, s.changed
		s.mu.Unlock()
		if now > have {
			fmt.Fprint(w, now)
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			fmt.Fprint(w, now)
			return
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		}
	}
}

// view gathers what a page shows, and names its template; nil for no such page.
func (s *Server) view(path string) (*pageView, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := &pageView{Version: s.version}
	if m := pullPage.FindStringSubmatch(path); m != nil {
		r := s.lookup(m[1], m[2])
		n, _ := strconv.Atoi(m[3])
		if r == nil || r.pullAt(n) == nil {
			return nil, ""
		}
		p := r.pullAt(n)
		v.Pull, v.Title, v.OnFiles = s.pullView(p), fmt.Sprintf("%s · Pull Request #%d · %s", p.title, n, r.full()), m[4] != ""
		if v.OnFiles {
			v.Files = s.fileViews(p)
		}
		return v, "pull"
	}
	if m := checkPage.FindStringSubmatch(path); m != nil {
		id, _ := strconv.ParseInt(m[3], 10, 64)
		if r := s.lookup(m[1], m[2]); r != nil && r.checkByID[id] != nil {
			check := s.checkView(r, r.checkByID[id])
			v.Check, v.Title = &check, check.Name+" · "+r.full()
			return v, "check"
		}
		return nil, ""
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	only := ""
	if len(parts) >= 2 {
		only = lower(parts[0] + "/" + parts[1])
	} else if path != "/" {
		return nil, ""
	}
	var all []*repo
	for _, r := range s.repos {
		if only == "" || lower(r.full()) == only {
			all = append(all, r)
		}
	}
	if only != "" && len(all) == 0 {
		return nil, ""
	}
	sort.Slice(all, func(i, j int) bool { return all[i].id < all[j].id })
	for _, r := range all {
		line := repoView{Full: r.full()}
		for i := len(r.pulls) - 1; i >= 0; i-- {
			line.Pulls = append(line.Pulls, s.pullLine(r.pulls[i]))
		}
		v.Repos = append(v.Repos, line)
	}
	v.Title = "Repositories"
	return v, "list"
}

func (s *Server) pullLine(p *pull) pullLine {
	l := pullLine{Number: p.number, Title: p.title, Author: p.author.login, When: s.ago(p.created), State: p.state, Comments: len(p.comments), Labels: p.labels}
	switch {
	case p.merged:
		l.State = "merged"
	case p.draft && p.state == "open":
		l.State = "draft"
	}
	for _, c := range p.repo.latestChecks(p.headSHA) {
		switch state := checkState(c); {
		case state == "failure" || l.Checks == "failure":
			l.Checks = "failure"
		case state == "pending" || l.Checks == "pending":
			l.Checks = "pending"
		default:
			l.Checks = "success"
		}
	}
	return l
}

// checkState folds a check's status and conclusion into what its icon shows.
func checkState(c *checkRun) string {
	switch {
	case c.status == "queued":
		return "queued"
	case c.status != "completed":
		return "pending"
	case c.conclusion == "success", c.conclusion == "neutral", c.conclusion == "skipped":
		return c.conclusion
	case c.conclusion == "action_required":
		return "action"
	}
	return "failure"
}

func (s *Server) checkView(r *repo, c *checkRun) checkView {
	v := checkView{ID: c.id, Repo: r.full(), Name: c.name, State: checkState(c), Title: c.title, Summary: c.summary, Text: c.text,
		DetailsURL: c.details, Annotations: c.annotations, SHA: c.sha}
	if !c.completed.IsZero() && c.completed.After(c.started) {
		v.Took = c.completed.Sub(c.started).Round(time.Second).String()
	}
	return v
}

func (s *Server) pullView(p *pull) *pullView {
	v := &pullView{pullLine: s.pullLine(p), Repo: p.repo.full(), Head: p.headRef, Base: p.baseRef, Body: p.body, Commits: max(p.commits, 1),
		Files: p.files, Added: p.additions, Deleted: p.deletions, Merge: s.standing(p), MergeSHA: p.mergeSHA}
	if p.head != p.repo {
		v.Head = p.headLabel
	}
	if p.mergedBy != nil {
		v.MergedBy = p.mergedBy.login
	}
	for _, e := range p.timeline {
		item := itemView{Kind: "event", By: e.by.login, Bot: e.by.kind == "Bot", When: s.ago(e.at), Text: e.text, SHA: e.sha}
		switch {
		case e.comm != nil:
			item.Kind, item.Body, item.Edited, item.ID = "comment", e.comm.body, e.comm.edits > 0, e.comm.id
			item.Minimized = e.comm.minimized
			for _, r := range e.comm.reactions {
				item.Reactions = append(item.Reactions, emoji[r.content])
			}
		case e.rev != nil:
			item.Kind, item.State, item.Body = "review", lower(e.rev.state), e.rev.body
			item.Text = map[string]string{"approved": "approved these changes", "changes_requested": "requested changes", "dismissed": "had a review dismissed"}[item.State]
			if item.Text == "" {
				item.Text = "reviewed"
			}
		case e.text == "opened":
			continue // the description says so
		}
		v.Items = append(v.Items, item)
	}
	latest := map[string]string{}
	var order []string
	for _, rev := range p.reviews {
		if rev.state == "COMMENTED" {
			continue
		}
		if _, ok := latest[rev.author.login]; !ok {
			order = append(order, rev.author.login)
		}
		latest[rev.author.login] = lower(rev.state)
	}
	for _, by := range order {
		v.Reviews = append(v.Reviews, reviewView{by, latest[by]})
	}
	count := map[string]int{}
	for _, c := range p.repo.latestChecks(p.headSHA) {
		k := s.checkView(p.repo, c)
		count[k.State]++
		v.List = append(v.List, k)
	}
	var said []string
	for _, part := range []struct{ state, word string }{{"failure", "failing"}, {"action", "waiting for someone"}, {"pending", "in progress"},
		{"queued", "queued"}, {"neutral", "neutral"}, {"skipped", "skipped"}, {"success", "successful"}} {
		if n := count[part.state]; n > 0 {
			said = append(said, fmt.Sprintf("%d %s", n, part.word))
		}
	}
	v.Detail = strings.Join(said, ", ") + map[bool]string{true: " check", false: " checks"}[len(v.List) == 1]
	switch {
	case len(v.List) == 0:
	case count["failure"]+count["action"] > 0:
		v.Summary = "Some checks were not successful"
	case count["pending"]+count["queued"] > 0:
		v.Summary = "Some checks haven’t completed yet"
	default:
		v.Summary = "All checks have passed"
	}
	return v
}

var emoji = map[string]string{"+1": "👍", "-1": "👎", "laugh": "😄", "confused": "😕", "heart": "❤️", "hooray": "🎉", "rocket": "🚀", "eyes": "👀"}

// fileViews is the pull's diff.
func (s *Server) fileViews(p *pull) []fileView {
	g, err := open(p.repo.dir)
	if err != nil {
		return nil
	}
	base := p.baseSHA
	patch, err := g.patch(base, p.headSHA)
	if err != nil {
		return nil
	}
	var out []fileView
	for _, f := range patch.FilePatches() {
		from, to := f.Files()
		v := fileView{}
		if to != nil {
			v.Path = to.Path()
		} else if from != nil {
			v.Path = from.Path()
		}
		for _, chunk := range f.Chunks() {
			lines := strings.Split(strings.TrimSuffix(chunk.Content(), "\n"), "\n")
			sign, class := " ", ""
			switch chunk.Type() {
			case diff.Add:
				sign, class = "+", "add"
				v.Added += len(lines)
			case diff.Delete:
				sign, class = "-", "del"
				v.Deleted += len(lines)
			}
			for i, l := range lines {
				if class == "" && len(lines) > 8 && i > 3 && i < len(lines)-4 {
					if i == 4 {
						v.Lines = append(v.Lines, lineView{"hunk", "…"})
					}
					continue
				}
				v.Lines = append(v.Lines, lineView{class, sign + l})
			}
		}
		out = append(out, v)
	}
	return out
}

// ago is a time as GitHub's pages tell it.
func (s *Server) ago(t time.Time) string {
	d := s.opts.Now().Sub(t)
	plural := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit + " ago"
		}
		return fmt.Sprintf("%d %ss ago", n, unit)
	}
	switch {
	case d < 10*time.Second:
		return "now"
	case d < time.Minute:
		return plural(int(d.Seconds()), "second")
	case d < time.Hour:
		return plural(int(d.Minutes()), "minute")
	case d < 24*time.Hour:
		return plural(int(d.Hours()), "hour")
	}
	return "on " + t.Format("Jan 2, 2006")
}
