package githubtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// Person is an account that people sign in with.
type Person struct {
	Login string
	ID    int64
	Token string // for git over HTTP (any user name) and the API
}

// Repo is a repository as a person handles it. It stays the same when the
// repository is renamed.
type Repo struct {
	s *Server
	r *repo
}

// RepoOptions are how a repository begins.
type RepoOptions struct {
	Files         Files  // of the first commit; one README where there are none
	DefaultBranch string // "main" when empty
	Public        bool
	// NoApp leaves the App uninstalled there. Otherwise it is installed on the
	// owner's account if it is not yet, and given this repository.
	NoApp bool
}

// PullRequest is what a person fills in to open one.
type PullRequest struct {
	Title, Body string
	Head        string // a branch, here or in From
	Base        string // empty: the default branch
	Draft       bool
	From        *Repo // the fork that Head is in; nil: this repository
}

func lower(s string) string { return strings.ToLower(s) }

// must ends a wrongly written test or demo.
func must(err error) {
	if err != nil {
		panic("githubtest: " + err.Error())
	}
}

// person returns the account of that login, made if it is not there. s.mu is
// held.
func (s *Server) person(login string) *user {
	u, ok := s.users[lower(login)]
	if !ok {
		u = &user{id: s.nextID(), login: login, kind: "User", token: personalToken()}
		if strings.HasSuffix(login, "[bot]") {
			u.kind = "Bot"
		}
		s.users[lower(login)] = u
		s.tokens[u.token] = &token{user: u}
	}
	return u
}

// bot is the account that the App acts by. s.mu is held.
func (s *Server) bot() *user { return s.person(s.opts.Slug + "[bot]") }

// Person returns the account of that login, made if it is not there.
func (s *Server) Person(login string) Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.person(login)
	return Person{Login: u.login, ID: u.id, Token: u.token}
}

// lookup finds a repository by a name that it has or had. s.mu is held.
func (s *Server) lookup(owner, name string) *repo {
	return s.repos[s.names[lower(owner+"/"+strings.TrimSuffix(name, ".git"))]]
}

// Repo returns a repository by its name, nil where there is none.
func (s *Server) Repo(owner, name string) *Repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.lookup(owner, name); r != nil {
		return &Repo{s, r}
	}
	return nil
}

// CreateRepo makes a repository with one commit on its default branch.
func (s *Server) CreateRepo(owner, name string, o RepoOptions) *Repo {
	if o.DefaultBranch == "" {
		o.DefaultBranch = "main"
	}
	if o.Files == nil {
		o.Files = Files{"README.md": "# " + name + "\n"}
	}
	s.mu.Lock()
	u := s.person(owner)
	if u.kind == "User" && len(s.reposOf(u)) == 0 {
		u.kind = "Organization"
	}
	r := s.addRepo(u, name, o.DefaultBranch, !o.Public)
	s.mu.Unlock()
	must(initBare(r.dir, o.DefaultBranch))
	g, err := open(r.dir)
	must(err)
	root, err := g.edit(plumbing.ZeroHash, o.Files)
	must(err)
	sig := signature(u, s.opts.Now())
	sha, err := g.commit(root, sig, sig, "Initial commit\n")
	must(err)
	must(g.setRef("refs/heads/"+o.DefaultBranch, sha))
	out := &Repo{s, r}
	if !o.NoApp {
		s.Install(owner, out)
	}
	return out
}

func (s *Server) reposOf(u *user) []*repo {
	var out []*repo
	for _, r := range s.repos {
		if r.owner == u {
			out = append(out, r)
		}
	}
	return out
}

// addRepo registers a repository. s.mu is held.
func (s *Server) addRepo(owner *user, name, branch string, private bool) *repo {
	key := lower(owner.login + "/" + name)
	if id, taken := s.names[key]; taken && lower(s.repos[id].full()) == key {
		panic("githubtest: there is a repository " + key)
	}
	r := &repo{
		id: s.nextID(), owner: owner, name: name, defaultBranch: branch, private: private, created: s.opts.Now(),
		collaborators: map[string]string{}, required: map[string][]string{}, comments: map[int64]*comment{},
		checkByID: map[int64]*checkRun{}, suites: map[string]int64{}, gates: gates{protected: map[string]*Protection{}},
	}
	r.dir = filepath.Join(s.opts.Dir, fmt.Sprintf("%d.git", r.id))
	s.repos[r.id], s.names[key] = r, r.id
	s.touch()
	return r
}

// Install installs the App on an account with these repositories, or gives an
// existing installation more of them. It returns the installation's ID.
func (s *Server) Install(account string, repos ...*Repo) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.person(account)
	var in *installation
	for _, have := range s.installs {
		if have.account == u && !have.deleted {
			in = have
		}
	}
	fresh := in == nil
	if fresh {
		in = &installation{id: s.nextID(), account: u, repos: map[int64]bool{}, created: s.opts.Now()}
		s.installs[in.id] = in
	}
	list := []any{}
	for _, r := range repos {
		in.repos[r.r.id] = true
		list = append(list, s.shortRepo(r.r))
	}
	if fresh {
		s.emit("installation", nil, fields{"action": "created", "installation": s.installationJSON(in), "repositories": list, "sender": s.userJSON(u)})
	} else {
		s.emit("installation_repositories", nil, fields{"action": "added", "installation": s.installationJSON(in), "repositories_added": list,
			"repositories_removed": []any{}, "repository_selection": "selected", "requester": nil, "sender": s.userJSON(u)})
	}
	s.touch()
	return in.id
}

func (s *Server) shortRepo(r *repo) fields {
	return fields{"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.full(), "private": r.private}
}

// Suspend, Unsuspend and Uninstall do to an installation what its owner's
// settings page does.
func (s *Server) Suspend(id int64) {
	s.changeInstall(id, "suspend", func(in *installation) { in.suspended = s.opts.Now() })
}

// Unsuspend ends a suspension.
func (s *Server) Unsuspend(id int64) {
	s.changeInstall(id, "unsuspend", func(in *installation) { in.suspended = time.Time{} })
}

// Uninstall removes the App from the account.
func (s *Server) Uninstall(id int64) {
	s.changeInstall(id, "deleted", func(*installation) {})
}

func (s *Server) changeInstall(id int64, action string, change func(*installation)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.installs[id]
	if in == nil {
		panic("githubtest: no such installation")
	}
	change(in)
	list := []any{}
	for id := range in.repos {
		list = append(list, s.shortRepo(s.repos[id]))
	}
	s.emit("installation", nil, fields{"action": action, "installation": s.installationJSON(in), "repositories": list, "sender": s.userJSON(in.account)})
	in.deleted = action == "deleted"
	s.touch()
}

// RemoveRepo takes a repository away from the installation that covers it.
func (s *Server) RemoveRepo(r *Repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.installed(r.r)
	if in == nil {
		return
	}
	delete(in.repos, r.r.id)
	s.emit("installation_repositories", nil, fields{"action": "removed", "installation": s.installationJSON(in), "repositories_added": []any{},
		"repositories_removed": []any{s.shortRepo(r.r)}, "repository_selection": "selected", "requester": nil, "sender": s.userJSON(in.account)})
	s.touch()
}

// ID, Owner, Name, DefaultBranch, CloneURL and HTMLURL are what GitHub says of
// the repository now.
func (r *Repo) ID() int64             { return r.r.id }
func (r *Repo) Owner() string         { return r.get(func() string { return r.r.owner.login }) }
func (r *Repo) Name() string          { return r.get(func() string { return r.r.name }) }
func (r *Repo) DefaultBranch() string { return r.r.defaultBranch }
func (r *Repo) CloneURL() string      { return r.HTMLURL() + ".git" }
func (r *Repo) HTMLURL() string       { return r.get(func() string { return r.s.URL + "/" + r.r.full() }) }

func (r *Repo) get(f func() string) string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return f()
}

// Installation returns the ID of the App's installation that covers the
// repository, 0 for none.
func (r *Repo) Installation() int64 {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if in := r.s.installed(r.r); in != nil {
		return in.id
	}
	return 0
}

// Dir is the bare repository's folder, for tests that look into it.
func (r *Repo) Dir() string { return r.r.dir }

// Collaborator gives a person a role: read, triage, write, maintain, admin, or
// none to take it away.
func (r *Repo) Collaborator(login, role string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if _, ok := roleRank[role]; !ok {
		panic("githubtest: no role " + role)
	}
	r.s.person(login)
	if role == "none" {
		delete(r.r.collaborators, lower(login))
		return
	}
	r.r.collaborators[lower(login)] = role
}

// Protect lets a branch be merged into only when these checks have succeeded;
// no names end that.
func (r *Repo) Protect(branch string, checks ...string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.r.required[branch] = checks
}

// Rename gives the repository another name; requests by the old one are
// redirected.
func (r *Repo) Rename(name string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	from := r.r.name
	r.r.name = name
	r.s.names[lower(r.r.full())] = r.r.id
	payload := r.s.envelope(r.r, r.r.owner, "renamed")
	payload["changes"] = fields{"repository": fields{"name": fields{"from": from}}}
	r.s.emit("repository", r.r, payload)
	r.s.touch()
}

// Tip returns the commit that a branch is at, "" where there is no such branch.
func (r *Repo) Tip(branch string) string { return r.Ref("refs/heads/" + branch) }

// Ref returns the commit of any ref, "" where there is none.
func (r *Repo) Ref(name string) string {
	g, err := open(r.r.dir)
	must(err)
	return g.tip(name)
}

// File returns a file at a commit or branch, and whether it is there.
func (r *Repo) File(at, path string) (string, bool) {
	g, err := open(r.r.dir)
	must(err)
	if tip := g.tip("refs/heads/" + at); tip != "" {
		at = tip
	}
	c, err := g.CommitObject(plumbing.NewHash(at))
	must(err)
	f, err := c.File(path)
	if err != nil {
		return "", false
	}
	text, err := f.Contents()
	must(err)
	return text, true
}

// Commit commits files to a branch and pushes it, as by's git push would, and
// returns the commit. A branch that is not there starts at the default branch.
func (r *Repo) Commit(by, branch, message string, files Files) string {
	return r.push(by, branch, "", message, files, false)
}

// CommitOn is Commit with the parent named (a branch or commit); what the
// branch had is thrown away, as by a forced push.
func (r *Repo) CommitOn(by, branch, parent, message string, files Files) string {
	return r.push(by, branch, parent, message, files, true)
}

func (r *Repo) push(by, branch, parent, message string, files Files, force bool) string {
	s := r.s
	s.mu.Lock()
	u := s.person(by)
	s.mu.Unlock()
	sha := ""
	must(s.pushBranch(r.r, u, branch, func(g store, before string) (string, error) {
		if parent == "" {
			if parent = before; parent == "" {
				parent = r.r.defaultBranch
			}
		}
		if tip := g.tip("refs/heads/" + parent); tip != "" {
			parent = tip
		}
		c, err := g.CommitObject(plumbing.NewHash(parent))
		if err != nil {
			return "", fmt.Errorf("no branch or commit %s in %s", parent, r.r.full())
		}
		root, err := g.edit(c.TreeHash, files)
		if err != nil {
			return "", err
		}
		sig := signature(u, s.opts.Now())
		sha, err = g.commit(root, sig, sig, message+"\n", parent)
		return sha, err
	}))
	return sha
}

// Branch points a branch at a commit, made if it is not there, as a push would;
// an empty commit deletes it.
func (r *Repo) Branch(by, branch, sha string) {
	r.s.mu.Lock()
	u := r.s.person(by)
	r.s.mu.Unlock()
	must(r.s.pushBranch(r.r, u, branch, func(store, string) (string, error) { return sha, nil }))
}

// Fork makes a fork of the repository that belongs to a person. The App is not
// installed there.
func (r *Repo) Fork(by string) *Repo {
	s := r.s
	s.mu.Lock()
	u := s.person(by)
	f := s.addRepo(u, r.r.name, r.r.defaultBranch, r.r.private)
	f.parent = r.r
	s.mu.Unlock()
	r.r.git.Lock()
	defer r.r.git.Unlock()
	_, err := s.git(s.ctx, s.opts.Dir, "clone", "-q", "--bare", "--no-hardlinks", r.r.dir, f.dir)
	must(err)
	must(os.WriteFile(filepath.Join(f.dir, "config"), []byte(bareConfig), 0o644))
	return &Repo{s, f}
}

// Pulls returns the repository's pull requests, oldest first.
func (r *Repo) Pulls() []*Pull {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var out []*Pull
	for _, p := range r.r.pulls {
		out = append(out, &Pull{r.s, p})
	}
	return out
}

// Pull returns a pull request by its number.
func (r *Repo) Pull(number int) *Pull {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	p := r.r.pullAt(number)
	if p == nil {
		panic(fmt.Sprintf("githubtest: %s has no pull request %d", r.r.full(), number))
	}
	return &Pull{r.s, p}
}

// Open opens a pull request.
func (r *Repo) Open(by string, o PullRequest) *Pull {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	from := r.r
	if o.From != nil {
		from = o.From.r
	}
	p, err := r.s.openPull(r.r, from, r.s.person(by), o)
	must(err)
	return &Pull{r.s, p}
}

// openPull makes a pull request. s.mu is held; it is let go meanwhile.
func (s *Server) openPull(r, from *repo, by *user, o PullRequest) (*pull, error) {
	if o.Base == "" {
		o.Base = r.defaultBranch
	}
	now := s.opts.Now()
	p := &pull{id: s.nextID(), repo: r, head: from, author: by, title: o.Title, body: o.Body, headRef: o.Head, baseRef: o.Base,
		headLabel: from.owner.login + ":" + o.Head, state: "open", draft: o.Draft, created: now, updated: now, labels: []string{}}
	s.nextID() // its issue's
	p.number = r.nextNumber()
	r.pulls = append(r.pulls, p)
	s.mu.Unlock()
	head, base, err := s.heads(p)
	s.mu.Lock()
	if err != nil {
		p.state = "closed"
		return nil, err
	}
	if p.headSHA == "" { // else a push came in between and knows better
		p.headSHA, p.baseSHA = head, base
	}
	s.note(p, by, "opened", p.headSHA)
	s.emit("pull_request", r, s.pullPayload(p, by, "opened"))
	s.mu.Unlock()
	s.compute(p)
	s.mu.Lock()
	return p, nil
}

// heads finds a new pull's two commits and publishes its head.
func (s *Server) heads(p *pull) (head, base string, err error) {
	p.head.git.Lock()
	defer p.head.git.Unlock()
	g, err := open(p.head.dir)
	if err != nil {
		return "", "", err
	}
	if head = g.tip("refs/heads/" + p.headRef); head == "" {
		return "", "", fmt.Errorf("no branch %s in %s", p.headRef, p.head.full())
	}
	if g, err = s.publishHead(p, head); err != nil {
		return "", "", err
	}
	if base = g.tip("refs/heads/" + p.baseRef); base == "" {
		return "", "", fmt.Errorf("no branch %s in %s", p.baseRef, p.repo.full())
	}
	return head, base, nil
}
