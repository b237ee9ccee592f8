package bot

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

func place(p planner.StatePlace) *planner.StatePlace {
	p.File, p.Line = "live/net/main.tf", 3
	return &p
}

func TestBlocksThatNameThisServer(t *testing.T) {
	const us = "https://tidelock.example.com"
	const port = "http://127.0.0.1:8080"
	const below = "https://example.com/tidelock"
	cloud := func(host string) planner.Project {
		return planner.Project{Backend: "cloud", StatePlace: place(planner.StatePlace{Host: host})}
	}
	http := func(address string) planner.Project {
		return planner.Project{Backend: "http", StatePlace: place(planner.StatePlace{Address: address})}
	}
	for _, c := range []struct {
		public string
		p      planner.Project
		want   bool
	}{
		{us, cloud("tidelock.example.com"), true}, {us, cloud("Tidelock.Example.COM:443"), true}, {port, cloud("127.0.0.1:8080"), true},
		{us, cloud("app.terraform.io"), false}, {us, cloud(""), false}, {us, cloud("tidelock.example.com:8443"), false}, {us, cloud("xtidelock.example.com"), false},
		{"", cloud(""), false}, {"", http("/state/acme/x"), false},
		{us, http(us + "/state/acme/x"), true}, {us, http("http://tidelock.example.com:80/state/acme/x"), true}, {port, http(port + "/state/acme/x"), true}, {below, http(below + "/state/acme/x"), true},
		{us, http(us + "/other/acme/x"), false}, {us, http("https://evil.example.com/state/acme/x"), false}, {us, http("https://tidelock.example.com@evil.example.com/state/acme/x"), false},
		{us, http(""), false}, {us, http("://"), false}, {below, http("https://example.com/state/acme/x"), false},
		{us, planner.Project{Backend: "s3"}, false}, {us, planner.Project{}, false},
	} {
		b := &Bot{Options: Options{PublicURL: c.public}}
		if got := b.namesUs(c.p); got != c.want {
			t.Errorf("%s: %s %+v: %v", c.public, c.p.Backend, c.p.StatePlace, got)
		}
		if got := b.keepsState(c.p); got != (c.want || c.p.Backend == "") {
			t.Errorf("%s: %s %+v is kept here: %v", c.public, c.p.Backend, c.p.StatePlace, got)
		}
	}
}

func TestWhichStateABlockNames(t *testing.T) {
	b := &Bot{Options: Options{PublicURL: "https://tidelock.example.com"}}
	const base = "https://tidelock.example.com/state/"
	for name, c := range map[string]struct {
		backend, workspace string
		place              planner.StatePlace
		want               namedState
		says               string // the refusal
	}{
		"cloud":                         {"cloud", "", planner.StatePlace{Organization: "acme", Workspace: "net:prod"}, namedState{"acme", "net/prod", "net:prod"}, ""},
		"cloud, the project says so":    {"cloud", "prod", planner.StatePlace{Organization: "acme", Workspace: "prod"}, namedState{"acme", "prod", "prod"}, ""},
		"cloud by tags":                 {"cloud", "prod", planner.StatePlace{Organization: "acme"}, namedState{"acme", "prod", "prod"}, ""},
		"cloud by tags, which":          {"cloud", "", planner.StatePlace{Organization: "acme"}, namedState{}, "which workspace"},
		"cloud, another":                {"cloud", "dev", planner.StatePlace{Organization: "acme", Workspace: "prod"}, namedState{}, "another one, dev"},
		"no organization":               {"cloud", "", planner.StatePlace{Workspace: "prod"}, namedState{}, "names no organization"},
		"an organization to be read":    {"cloud", "", planner.StatePlace{Organization: "@all <img>", Workspace: "prod"}, namedState{}, "no client's name"},
		"a path for one":                {"cloud", "", planner.StatePlace{Organization: "acme/x", Workspace: "prod"}, namedState{}, "no client's name"},
		"a workspace that leads out":    {"cloud", "", planner.StatePlace{Organization: "acme", Workspace: "..:..:beta"}, namedState{}, "path of a project"},
		"remote by name":                {"remote", "", planner.StatePlace{Organization: "acme", Workspace: "net:prod"}, namedState{"acme", "net/prod", "default"}, ""},
		"remote by name, and another":   {"remote", "prod", planner.StatePlace{Organization: "acme", Workspace: "prod"}, namedState{}, "another one, prod"},
		"remote by prefix":              {"remote", "prod", planner.StatePlace{Organization: "acme", Prefix: "net:"}, namedState{"acme", "net/prod", "prod"}, ""},
		"remote by prefix, which":       {"remote", "", planner.StatePlace{Organization: "acme", Prefix: "net:"}, namedState{}, "no workspace"},
		"remote, nothing":               {"remote", "prod", planner.StatePlace{Organization: "acme"}, namedState{}, "which workspace"},
		"http":                          {"http", "", planner.StatePlace{Address: base + "acme/net/prod"}, namedState{"acme", "net/prod", "default"}, ""},
		"http, with a workspace":        {"http", "prod", planner.StatePlace{Address: base + "acme/net/prod"}, namedState{}, "no workspaces"},
		"http, that leads out":          {"http", "", planner.StatePlace{Address: base + "acme/../beta/net"}, namedState{}, "path of a project"},
		"http, that leads out, escaped": {"http", "", planner.StatePlace{Address: base + "acme/%2e%2e/beta/net"}, namedState{}, "path of a project"},
		"http, a lock":                  {"http", "", planner.StatePlace{Address: base + "acme/net/lock"}, namedState{}, "path of a project"},
		"http, no project":              {"http", "", planner.StatePlace{Address: base + "acme"}, namedState{}, "path of a project"},
	} {
		p := planner.Project{Dir: "live/net", Workspace: "default", Backend: c.backend, StatePlace: place(c.place)}
		if c.workspace != "" {
			p.Workspace = c.workspace
		}
		got, err := b.stateNamed(p)
		if c.says == "" {
			if err != nil || got != c.want {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			continue
		}
		said := errs.Sentence(err)
		if !errs.Is(err, errs.Invalid) || !strings.HasPrefix(said, "live/net/main.tf:3: ") || !strings.Contains(said, c.says) || strings.Contains(said, "<img>") {
			t.Errorf("%s: %+v, %q", name, got, said)
		}
	}
}
