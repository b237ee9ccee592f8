package tfe

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

func (a *API) organization(c *call) error {
	return c.send(http.StatusOK, resource{ID: c.org.Slug, Type: "organizations", Attributes: map[string]any{
		"name": c.org.Slug, "external-id": c.org.ID, "default-execution-mode": "local",
		"permissions": map[string]any{"can-create-workspace": c.cred.May(access.ScopeWrite), "can-traverse": true, "can-update": false, "can-destroy": false},
	}}, nil)
}

// entitlements tells the client that nothing runs here: it runs everything
// itself.
func (a *API) entitlements(c *call) error {
	return c.send(http.StatusOK, resource{ID: c.org.Slug, Type: "entitlement-sets", Attributes: map[string]any{
		"operations": false, "state-storage": true, "agents": false, "audit-logging": false, "cost-estimation": false, "global-run-tasks": false,
		"private-module-registry": false, "private-run-tasks": false, "run-tasks": false, "sentinel": false, "sso": false, "teams": false, "vcs-integrations": false,
	}}, nil)
}

// view is a workspace as clients read it.
func (a *API) view(c *call, w workspace) resource {
	name := Workspace(w.Name)
	r := resource{ID: "ws-" + w.ID, Type: "workspaces", Attributes: map[string]any{
		"name": name, "locked": w.Lock != nil, "created-at": stamp(w.Created), "updated-at": stamp(w.Created),
		// Whatever version writes may write; "latest" is the name of that.
		"terraform-version": "latest",
		"execution-mode":    "local", "operations": false, "auto-apply": false, "speculative-enabled": false, "structured-run-output-enabled": false,
		"tag-names": slices.Sorted(maps.Keys(w.tags)),
		"actions":   map[string]any{"is-destroyable": !w.Exists()},
		"permissions": map[string]any{
			"can-update": c.cred.May(access.ScopeWrite), "can-destroy": c.cred.May(access.ScopeWrite), "can-force-delete": c.cred.May(access.ScopeWrite),
			"can-lock": c.cred.May(access.ScopeLock), "can-unlock": c.cred.May(access.ScopeLock), "can-force-unlock": c.cred.May(access.ScopeForceUnlock),
			"can-read-settings": true, "can-queue-run": false, "can-queue-apply": false, "can-queue-destroy": false, "can-update-variable": false,
		},
	}, Relationships: map[string]any{"organization": related("organizations", c.org.Slug)}}
	if !w.Written.IsZero() {
		r.Attributes["updated-at"] = stamp(w.Written)
	}
	if w.project != "" {
		r.Relationships["project"] = related("projects", w.project)
	}
	if w.Exists() {
		r.Relationships["current-state-version"] = related("state-versions", "sv-"+w.Current)
	}
	if w.Lock != nil {
		kind, id := "users", w.Lock.Token
		if w.Lock.Run != "" {
			kind, id = "runs", w.Lock.Run
		}
		r.Relationships["locked-by"] = related(kind, id)
	}
	return r
}

func (a *API) readWorkspace(c *call) error {
	return c.send(http.StatusOK, a.view(c, c.workspace), nil)
}

// filter reads what a list of workspaces is to hold. Filters that are not known
// are refused: a list that is longer than was asked for could be acted on.
func filter(q url.Values) (func(workspace) bool, error) {
	var all []func(workspace) bool
	tagged := map[string][2]string{}
	for key, values := range q {
		value := values[0]
		if value == "" && !strings.HasPrefix(key, "filter[tagged]") {
			continue
		}
		switch key {
		case "page[number]", "page[size]", "include":
		case "TagBindings": // a slip of the clients' library: it says the same as filter[tagged]
		case "sort":
			if value != "name" {
				return nil, errs.New(errs.Invalid, "Workspaces are sorted by name here, and in no other way.")
			}
		case "search[name]":
			all = append(all, func(w workspace) bool {
				return strings.Contains(strings.ToLower(Workspace(w.Name)), strings.ToLower(value))
			})
		case "search[wildcard-name]":
			all = append(all, func(w workspace) bool {
				return wildcard(strings.ToLower(value), strings.ToLower(Workspace(w.Name)))
			})
		case "search[tags]", "search[exclude-tags]":
			want := key == "search[tags]"
			for tag := range strings.SplitSeq(value, ",") {
				all = append(all, func(w workspace) bool {
					_, ok := w.tags[strings.TrimSpace(tag)]
					return ok == want
				})
			}
		case "filter[project][id]":
			all = append(all, func(w workspace) bool { return w.project == value })
		default:
			number, rest, _ := strings.Cut(strings.TrimPrefix(key, "filter[tagged]["), "]")
			pair := tagged[number]
			switch {
			case strings.HasPrefix(key, "filter[tagged][") && rest == "[key]":
				pair[0] = value
			case strings.HasPrefix(key, "filter[tagged][") && rest == "[value]":
				pair[1] = value
			default:
				return nil, errs.New(errs.Invalid, "Workspaces can't be filtered by %q here.", key)
			}
			tagged[number] = pair
		}
	}
	for _, pair := range tagged {
		all = append(all, func(w workspace) bool {
			value, ok := w.tags[pair[0]]
			return ok && (pair[1] == "" || value == pair[1])
		})
	}
	return func(w workspace) bool {
		return !slices.ContainsFunc(all, func(f func(workspace) bool) bool { return !f(w) })
	}, nil
}

// wildcard reports whether the text is what the pattern says, whose * is
// anything.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return pattern == text
	}
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return true
}

func (a *API) listWorkspaces(c *call) error {
	fits, err := filter(c.URL.Query())
	if err != nil {
		return err
	}
	all, err := a.all(c.Context(), c.org.ID)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(w workspace) bool { return !c.cred.Opens(w.Name) || !fits(w) })
	slices.SortFunc(all, func(x, y workspace) int { return strings.Compare(Workspace(x.Name), Workspace(y.Name)) })
	part, meta, err := page(c, all)
	if err != nil {
		return err
	}
	list := []resource{}
	for _, w := range part {
		list = append(list, a.view(c, w))
	}
	return c.send(http.StatusOK, list, meta)
}

// tag is a tag or a tag binding in a request: a key, and perhaps a value.
type tag struct {
	ID         string `json:"id"`
	Attributes struct {
		Name  string `json:"name"`
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"attributes"`
}

// wanted is a workspace in a request.
type wanted struct {
	Data struct {
		Attributes struct {
			Name          *string `json:"name"`
			ExecutionMode *string `json:"execution-mode"`
			Operations    *bool   `json:"operations"`
		} `json:"attributes"`
		Relationships struct {
			Project struct {
				Data *struct {
					ID string `json:"id"`
				} `json:"data"`
			} `json:"project"`
			Tags struct {
				Data []tag `json:"data"`
			} `json:"tags"`
			Bindings struct {
				Data []tag `json:"data"`
			} `json:"tag-bindings"`
		} `json:"relationships"`
	} `json:"data"`
}

// apply brings the workspace to what the request has of project and tags.
func (a *API) apply(c *call, in wanted, w *workspace) error {
	at, rel := in.Data.Attributes, in.Data.Relationships
	if mode := at.ExecutionMode; mode != nil && *mode != "local" || at.Operations != nil && *at.Operations {
		return errs.New(errs.Invalid, "Nothing runs in a workspace here: its execution mode is local.")
	}
	if p := rel.Project.Data; p != nil && p.ID != "" {
		if _, err := a.project(c.Context(), c.org.ID, p.ID); err != nil {
			return err
		}
		w.project = p.ID
	}
	return w.tag(append(rel.Tags.Data, rel.Bindings.Data...))
}

func (a *API) createWorkspace(c *call) error {
	var in wanted
	if err := c.read(&in, maxBody); err != nil {
		return err
	}
	if in.Data.Attributes.Name == nil {
		return errs.New(errs.Invalid, "A workspace needs a name.")
	}
	name, err := StateName(*in.Data.Attributes.Name)
	if err != nil {
		return err
	}
	if err := c.opens(name); err != nil {
		return err
	}
	var fresh workspace
	if err := a.apply(c, in, &fresh); err != nil {
		return err
	}
	s := a.States
	err = s.DB.Tx(c.Context(), func(tx *db.Tx) error {
		st, err := s.EnsureTx(c.Context(), tx, c.org.ID, name)
		if err != nil {
			return err
		}
		w, err := load(c.Context(), tx, st)
		if err != nil {
			return err
		}
		if w.visible() {
			return errs.New(errs.Invalid, "The name %s has been taken already.", Workspace(name))
		}
		fresh.State, fresh.known = st, true
		if err := save(c.Context(), tx, fresh, s.Now()); err != nil {
			return err
		}
		return a.record(c, tx, "workspace.created", name, map[string]any{"tags": fresh.tags})
	})
	if err != nil {
		return fmt.Errorf("create workspace: %w", err)
	}
	return c.send(http.StatusCreated, a.view(c, fresh), nil)
}

func (a *API) record(c *call, tx *db.Tx, action, name string, detail map[string]any) error {
	detail["token"] = c.cred.ID
	return a.States.Trail.Record(c.Context(), tx, access.Event{Client: c.org.ID, Action: action, Subject: "state " + name, Actor: c.cred.Actor, At: a.States.Now(), Detail: detail})
}

// change lets f change the workspace, and keeps what came of it.
func (a *API) change(c *call, f func(*workspace) error) error {
	s := a.States
	err := s.DB.Tx(c.Context(), func(tx *db.Tx) error {
		st, err := s.EnsureTx(c.Context(), tx, c.org.ID, c.workspace.Name)
		if err != nil {
			return err
		}
		w, err := load(c.Context(), tx, st)
		if err != nil {
			return err
		}
		before := maps.Clone(w.tags)
		was := w.project
		if err := f(&w); err != nil {
			return err
		}
		c.workspace = w
		if w.known && was == w.project && maps.Equal(before, w.tags) {
			return nil
		}
		w.known = true
		c.workspace = w
		if err := save(c.Context(), tx, w, s.Now()); err != nil {
			return err
		}
		return a.record(c, tx, "workspace.changed", w.Name, map[string]any{"tags": w.tags, "project": w.project})
	})
	if err != nil {
		return fmt.Errorf("change workspace %s: %w", c.workspace.Name, err)
	}
	return nil
}

func (a *API) updateWorkspace(c *call) error {
	var in wanted
	if err := c.read(&in, maxBody); err != nil {
		return err
	}
	if name := in.Data.Attributes.Name; name != nil && *name != Workspace(c.workspace.Name) {
		return errs.New(errs.Invalid, "A workspace can't be renamed: its name is the path of the project whose state it is.")
	}
	// What shapes runs is taken and has no effect: there are none.
	if err := a.change(c, func(w *workspace) error { return a.apply(c, in, w) }); err != nil {
		return err
	}
	return c.send(http.StatusOK, a.view(c, c.workspace), nil)
}

// remove takes the workspace and its state away; the state's versions stay.
func (a *API) remove(c *call, safe bool) error {
	s := a.States
	err := s.DB.Tx(c.Context(), func(tx *db.Tx) error {
		st, err := s.EnsureTx(c.Context(), tx, c.org.ID, c.workspace.Name)
		if err != nil {
			return err
		}
		if st.Lock != nil {
			return errs.New(errs.Conflict, "The workspace %s is currently locked by %s. It can be deleted when it is unlocked.", Workspace(st.Name), st.Lock.Holder())
		}
		if safe && st.Exists() {
			v, err := s.VersionByID(c.Context(), c.org.ID, st.Current)
			if err != nil {
				return err
			}
			if v.Encrypted || v.Instances > 0 {
				return errs.New(errs.Conflict, "The workspace %s can't be deleted safely: it is still managing resources, %d of them. Destroy them first, or force the deletion.", Workspace(st.Name), v.Instances)
			}
		}
		if err := s.DeleteTx(c.Context(), tx, c.org.ID, st.Name, c.who(), ""); err != nil {
			return err
		}
		if _, err := tx.ExecContext(c.Context(), `DELETE FROM cloud_workspaces WHERE state_id = $1`, st.ID); err != nil {
			return err
		}
		return a.record(c, tx, "workspace.deleted", st.Name, map[string]any{"safe": safe})
	})
	if err != nil {
		return fmt.Errorf("delete workspace %s: %w", c.workspace.Name, err)
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) deleteWorkspace(c *call) error     { return a.remove(c, false) }
func (a *API) safeDeleteWorkspace(c *call) error { return a.remove(c, true) }

func projectView(c *call, p project) resource {
	return resource{ID: p.id, Type: "projects", Attributes: map[string]any{"name": p.name, "default-execution-mode": "local"},
		Relationships: map[string]any{"organization": related("organizations", c.org.Slug)}}
}

func (a *API) listProjects(c *call) error {
	all, err := a.projects(c.Context(), c.org.ID)
	if err != nil {
		return err
	}
	q := c.URL.Query()
	if names := q.Get("filter[names]"); names != "" {
		// A name may have a comma itself: then it is meant as a whole, or as parts.
		want := append(strings.Split(names, ","), names)
		all = slices.DeleteFunc(all, func(p project) bool { return !slices.Contains(want, p.name) })
	}
	if text := strings.ToLower(q.Get("q")); text != "" {
		all = slices.DeleteFunc(all, func(p project) bool { return !strings.Contains(strings.ToLower(p.name), text) })
	}
	part, meta, err := page(c, all)
	if err != nil {
		return err
	}
	list := []resource{}
	for _, p := range part {
		list = append(list, projectView(c, p))
	}
	return c.send(http.StatusOK, list, meta)
}

func (a *API) readProject(c *call) error {
	p, err := a.project(c.Context(), c.org.ID, c.vars["prj"])
	if err != nil {
		return err
	}
	return c.send(http.StatusOK, projectView(c, p), nil)
}

// maxProjects bounds the projects of a client: anybody who may write makes them.
const maxProjects = 1000

func (a *API) createProject(c *call) error {
	var in struct {
		Data struct {
			Attributes struct {
				Name string `json:"name"`
			} `json:"attributes"`
		} `json:"data"`
	}
	if err := c.read(&in, maxBody); err != nil {
		return err
	}
	name := in.Data.Attributes.Name
	if name == "" || len(name) > maxTag || strings.ContainsFunc(name, control) {
		return errs.New(errs.Invalid, "A project's name is text of at most %d bytes.", maxTag)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	p := project{id: "prj-" + id.String(), name: name}
	s := a.States
	err = s.DB.Tx(c.Context(), func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRowContext(c.Context(), `SELECT count(*) FROM cloud_projects WHERE client_id = $1`, c.org.ID).Scan(&n); err != nil {
			return err
		}
		if n >= maxProjects {
			return errs.New(errs.TooLarge, "This client has %d projects, which is as many as it may have.", n)
		}
		res, err := tx.ExecContext(c.Context(), `INSERT INTO cloud_projects (id, client_id, name, created_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (client_id, name) DO NOTHING`,
			p.id, c.org.ID, p.name, db.Millis(s.Now()))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return errs.New(errs.Invalid, "There is a project of the name already.")
		}
		return s.Trail.Record(c.Context(), tx, access.Event{Client: c.org.ID, Action: "workspace.project_created", Subject: fmt.Sprintf("project %q", name), Actor: c.cred.Actor, At: s.Now()})
	})
	if err != nil {
		return fmt.Errorf("create project: %w", err)
	}
	return c.send(http.StatusCreated, projectView(c, p), nil)
}
