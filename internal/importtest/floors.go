package importtest

import (
	"fmt"
	"slices"
	"strings"
)

const module = "github.com/tidelock/tidelock"

// Floors, from the ground. A package imports from floors below its own only.
// Each step of the table exists because some room needs the one below it.
const (
	ground   = iota // knows nothing of ours
	sources         // databases, GitHub, git
	services        // stand on the database
	plans           // projects, plans as they are read, and who owns what
	engines         // make a plan of a project, and apply it
	readers         // read or run a plan
	rooms           // bring the lower rooms together
	tellers         // say to people what the rooms hold
	edges           // speak with the outside; never with each other
	helpers         // what tests, demo and bench need; may use each other
	settings        // what a server is told
	parts           // what is made of that
	programs
)

// floors names the folders of the house, by path below the module.
var floors = map[string]int{
	"internal/errs": ground, "internal/redact": ground, "internal/terminal": ground, "internal/markdown": ground, "policies": ground, "repo-templates": ground,
	"internal/gate":     sources, // beside them: planner reads its blocks, bot asks it
	"internal/schedule": sources, // the same
	"internal/plot":     sources, // charts: knows numbers and names alone
	"internal/capacity": ground, "internal/egress": ground,
	"internal/keyring": sources, // below blob and state, which keep what it wraps
	"internal/secrets": sources, // values alone: who may have which stands in the configuration
	"internal/db":      sources, "internal/github": sources, "internal/checkout": sources,
	"internal/blob": services, "internal/queue": services, "internal/access": services,
	"planner": plans, "planner/tfplan": plans, "internal/clients": plans, "internal/runlog": plans,
	"planner/tfrun":   engines,
	"internal/policy": readers, "internal/cost": readers, "internal/runner": readers, "internal/atlantis": readers,
	"internal/binaries": readers, "internal/providers": readers,
	"bot/command":    readers, // what people write, read into a plan's options
	"internal/sarif": rooms,   // reads and writes what policy reports
	"internal/run":   rooms, "internal/drift": rooms, "internal/state": rooms, "internal/registry": rooms, "internal/blueprint": rooms,
	"internal/policyset": rooms, "internal/policydoc": rooms, "internal/prices": rooms, "internal/infracost": rooms, "internal/actuals": rooms, "internal/budget": rooms,
	"bot/comment": tellers, "bot/proposal": tellers, "internal/replay": tellers, "internal/compliance": tellers, "internal/costreport": tellers, "internal/explorer": tellers,
	"internal/backup": tellers, // above state: a restore freezes what it brought back
	"internal/desk":   edges,   // the bot's answer without a bot
	"bot":             edges, "internal/web": edges,
	"internal/metrics":   edges, // asks every room, and speaks to whoever watches over the server
	"internal/toolchain": helpers, "internal/bench": helpers, "internal/demo": helpers,
	"internal/tools": helpers, "internal/importtest": helpers,
	"cmd/tidelock/config": settings, "cmd/tidelock/parts": parts,
	"cmd": programs, // with doctor, which main's commands call
}

// wall keeps an import, with all below it, to some rooms, or out of some.
type wall struct {
	imports []string
	only    []string // rooms that may; nil: see except
	except  []string // rooms that may not, where only is nil; "" is every room
	because string
}

// starters are the rooms that may start processes.
var starters = []string{"internal/secrets", "internal/checkout", "planner/tfrun", "internal/runner", "internal/infracost", "internal/toolchain", "internal/bench", "internal/demo", "internal/tools", "internal/importtest", "internal/github/githubtest", "internal/db/dbtest", "cmd"}

var walls = []wall{
	{
		imports: []string{module + "/cmd/tidelock"},
		only:    []string{"cmd/tidelock"},
		because: "the server's configuration is read in cmd/tidelock and handed on in pieces",
	},
	{
		imports: []string{module + "/internal/db", module + "/internal/queue", module + "/internal/access", "database/sql", "net/http"},
		except:  []string{"cmd/tidelock/config"},
		because: "config reads the configuration and opens nothing",
	},
	{
		imports: []string{"github.com/hashicorp/hc-install", "github.com/opentofu/tofudl"},
		only:    []string{"internal/binaries"},
		because: "Terraform and OpenTofu are fetched by internal/binaries",
	},
	{
		imports: []string{module + "/internal/db", module + "/internal/github", module + "/internal/runner", module + "/internal/queue", module + "/internal/access"},
		except:  []string{"planner"},
		because: "planner runs inside the runner process, which holds no secret of the bot's",
	},
	{
		imports: []string{module + "/internal/db", module + "/internal/github", module + "/internal/queue", module + "/internal/access", module + "/internal/blob", "database/sql", "net/http"},
		except:  []string{"internal/policy", "internal/cost"},
		because: "policy and cost are pure readers of a plan",
	},
	{
		imports: []string{module + "/planner", "database/sql", "net/http", "os"},
		except:  []string{"planner/tfplan"},
		because: "a plan is read from its JSON, and nothing else is asked",
	},
	{
		imports: []string{module + "/internal/db", module + "/internal/queue", module + "/internal/blob", "database/sql", "net/http", "os"},
		except:  []string{"bot/command", "bot/comment"},
		because: "what people write and what they read depends on values alone",
	},
	{
		imports: []string{"github.com/hashicorp/vault", "filippo.io/age"},
		only:    []string{"internal/keyring"},
		because: "keys that wrap other keys are used through internal/keyring",
	},
	{
		imports: []string{"github.com/google/go-github", "github.com/bradleyfalzon/ghinstallation"},
		only:    []string{"internal/github"},
		because: "go-github's types stay in one room",
	},
	{
		imports: []string{"github.com/riverqueue/river"},
		only:    []string{"internal/queue", "internal/db"}, // db runs River's migrations with ours
		because: "jobs are enqueued and handled through internal/queue",
	},
	{
		imports: []string{"github.com/jackc/pgx"},
		only:    []string{"internal/db", "internal/queue"}, // queue hands River the transaction that db opened
		because: "only internal/db opens databases",
	},
	{
		imports: []string{"modernc.org/sqlite", "github.com/pressly/goose"},
		only:    []string{"internal/db"},
		because: "only internal/db opens databases",
	},
	{
		imports: []string{"gocloud.dev", "github.com/Azure", "github.com/aws/aws-sdk-go-v2", "cloud.google.com/go/storage"},
		only:    []string{"internal/blob", "internal/toolchain/servers/serverstest"},
		because: "buckets are spoken with in internal/blob, and by what gives tests real ones",
	},
	{
		imports: []string{"github.com/benbjohnson/litestream", "github.com/superfly/ltx"},
		only:    []string{"internal/backup"},
		because: "the database is replicated by internal/backup",
	},
	{
		imports: []string{"github.com/prometheus"},
		only:    []string{"internal/metrics"},
		because: "rooms tell figures in words of their own; internal/metrics tells them to Prometheus",
	},
	{
		imports: []string{"github.com/go-git/go-git", "github.com/go-git/go-billy"},
		only:    []string{"internal/checkout", "internal/github/githubtest"},
		because: "git is spoken in internal/checkout",
	},
	{
		imports: []string{"github.com/hashicorp/terraform-exec"},
		only:    []string{"planner/tfrun"},
		because: "Terraform is run by planner/tfrun",
	},
	{
		imports: []string{"github.com/open-policy-agent/opa"},
		only:    []string{"internal/policy"},
		because: "Rego is judged in internal/policy",
	},
	{
		imports: []string{module + "/internal/redact", "database/sql", "net/http", "os"},
		except:  []string{"internal/gate"},
		because: "gate decides and reads nothing",
	},
	{
		imports: []string{"github.com/parquet-go/parquet-go"},
		only:    []string{"internal/actuals"},
		because: "billing exports are read in internal/actuals",
	},
	{
		imports: []string{"github.com/google/cel-go"},
		only:    []string{"internal/gate"},
		because: "CEL is evaluated in internal/gate",
	},
	{
		imports: []string{module + "/internal/github/githubtest/contract", "github.com/getkin/kin-openapi", "github.com/santhosh-tekuri/jsonschema"},
		only:    []string{"internal/github/githubtest/contract"},
		because: "the validators of GitHub's contract are for tests: each run would pay for what they set up at the program's start",
	},
	{
		imports: []string{"github.com/spf13/cobra"},
		only:    []string{"cmd"},
		because: "the command line ends in cmd",
	},
	{
		imports: []string{"github.com/hashicorp/terraform-plugin-framework", "github.com/hashicorp/terraform-plugin-go"},
		only:    []string{"cmd/terraform-provider-standin"},
		because: "the stand-in provider is a program of its own",
	},
	{
		imports: []string{"os/exec"},
		only:    starters,
		because: "processes are started in few places, so that what is handed to them can be reviewed",
	},
	{
		imports: []string{"net/http/pprof", "expvar", "plugin"},
		except:  []string{""},
		because: "they open a door into the process merely by being imported, or load code",
	},
}

// check returns every import of the graph that breaks a rule, sorted. The
// graph gives the imports of each package, all by import path.
func check(graph map[string][]string) []string {
	var broken []string
	for pkg, imports := range graph {
		room, ours := strings.CutPrefix(pkg, module+"/")
		if !ours {
			continue
		}
		floor, base := floorOf(room)
		if base == "" {
			broken = append(broken, fmt.Sprintf("%s is on no floor: say in internal/importtest/floors.go where it belongs", room))
			continue
		}
		for _, imported := range imports {
			if to, ours := strings.CutPrefix(imported, module+"/"); ours {
				// One that is on no floor is told when its own turn comes.
				if f, b := floorOf(to); b != "" && b != base && f >= floor && !(f == helpers && floor == helpers) {
					broken = append(broken, fmt.Sprintf("%s imports %s: imports only go down", room, to))
				}
			}
			if imported == "testing" && !isTestHelper(room) {
				broken = append(broken, fmt.Sprintf("%s imports testing: it belongs in tests and their helpers (…test)", room))
			}
			for _, w := range walls {
				if w.forbids(room, imported) {
					broken = append(broken, fmt.Sprintf("%s imports %s: %s", room, imported, w.because))
				}
			}
		}
	}
	slices.Sort(broken)
	return broken
}

func (w wall) forbids(room, imported string) bool {
	hit := slices.ContainsFunc(w.imports, func(i string) bool { return within(imported, i) })
	in := func(r string) bool { return r == "" || within(room, r) }
	if w.only != nil {
		return hit && !slices.ContainsFunc(w.only, in)
	}
	return hit && slices.ContainsFunc(w.except, in)
}

// floorOf returns the floor of a room and the folder of the table that says
// so, "" where none does. Test helpers are helpers wherever they stand.
func floorOf(room string) (int, string) {
	if isTestHelper(room) {
		return helpers, room
	}
	for at := room; at != ""; {
		if floor, ok := floors[at]; ok {
			return floor, at
		}
		cut := strings.LastIndexByte(at, '/')
		if cut < 0 {
			break
		}
		at = at[:cut]
	}
	return 0, ""
}

// isTestHelper reports whether a room is one such as internal/db/dbtest.
func isTestHelper(room string) bool {
	return slices.ContainsFunc(strings.Split(room, "/"), func(part string) bool {
		return strings.HasSuffix(part, "test") && part != "test"
	})
}

func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }
