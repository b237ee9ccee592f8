package blueprint

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// bundled are the blueprints, with good values for each and every file that it
// makes: anything else left lying in repo-templates would be handed on.
var bundled = map[string]struct {
	values   Values
	files    []string
	projects []string
}{
	"starter": {
		Values{Client: "acme", Owner: "acme/platform"},
		[]string{
			".github/CODEOWNERS", ".gitignore", "README.md",
			"live/example/main.tf", "live/example/outputs.tf", "live/example/terraform.tfvars", "live/example/variables.tf",
			"modules/label/main.tf", "tidelock.hcl",
		},
		[]string{"live/example"},
	},
	"aws": {
		Values{Client: "acme", Owner: "@acme/platform", Region: "eu-west-1"},
		[]string{
			".github/CODEOWNERS", ".gitignore", "README.md",
			"live/production/network/backend.tf", "live/production/network/main.tf", "live/production/network/outputs.tf",
			"live/production/network/terraform.tfvars", "live/production/network/variables.tf",
			"live/staging/network/backend.tf", "live/staging/network/main.tf", "live/staging/network/outputs.tf",
			"live/staging/network/terraform.tfvars", "live/staging/network/variables.tf",
			"modules/network/main.tf", "modules/network/outputs.tf", "modules/network/variables.tf", "tidelock.hcl",
		},
		[]string{"live/production/network", "live/staging/network"},
	},
}

// rendered is a bundled blueprint's files by path.
func rendered(t *testing.T, name string) map[string]string {
	t.Helper()
	files, err := Render(name, bundled[name].values)
	if err != nil {
		t.Fatal(err)
	}
	byPath := map[string]string{}
	for _, f := range files {
		byPath[f.Path] = string(f.Data)
	}
	return byPath
}

func TestList(t *testing.T) {
	all, err := List()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(bundled) {
		t.Errorf("%d blueprints, %d known to the tests", len(all), len(bundled))
	}
	for _, b := range all {
		if _, ok := bundled[b.Name]; !ok {
			t.Errorf("the tests do not know %s", b.Name)
		}
		if b.Description == "" || len(b.Values) == 0 || !slices.Contains(bundled[b.Name].files, b.First) {
			t.Errorf("%+v", b)
		}
	}
}

func TestRenderBundled(t *testing.T) {
	leftOver := regexp.MustCompile(`\[\[|\]\]|<no value>`)
	for name, want := range bundled {
		t.Run(name, func(t *testing.T) {
			files, err := Render(name, want.values)
			if err != nil {
				t.Fatal(err)
			}
			var paths []string
			for _, f := range files {
				paths = append(paths, f.Path)
				if leftOver.Match(f.Data) {
					t.Errorf("%s has something of the template left:\n%s", f.Path, f.Data)
				}
				if !strings.HasSuffix(string(f.Data), "\n") || strings.Contains(string(f.Data), "\r") {
					t.Errorf("%s does not end in a line's end, or has strange ones", f.Path)
				}
			}
			if diff := cmp.Diff(want.files, paths); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if err := checkPaths(files); err != nil {
				t.Error(err)
			}
			again, err := Render(name, want.values)
			if err != nil || !reflect.DeepEqual(files, again) {
				t.Errorf("a second time it is different: %v", err)
			}
			got := rendered(t, name)
			if owners := got[".github/CODEOWNERS"]; !regexp.MustCompile(`(?m)^\* +@acme/platform$`).MatchString(owners) {
				t.Errorf("CODEOWNERS:\n%s", owners)
			}
			// Every value reaches the repository.
			all := strings.Join(mapValues(got), "\n")
			for _, v := range []string{want.values.Client, want.values.Region} {
				if !strings.Contains(all, `"`+v+`"`) && v != "" {
					t.Errorf("%q stands nowhere", v)
				}
			}
		})
	}
}

func mapValues(m map[string]string) []string {
	var all []string
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// TestEnvironmentsOfAWSHaveTheSameCode: what differs stands in their variables
// and in where their state is.
func TestEnvironmentsOfAWSHaveTheSameCode(t *testing.T) {
	files := rendered(t, "aws")
	for _, f := range []string{"main.tf", "variables.tf", "outputs.tf"} {
		if diff := cmp.Diff(files["live/staging/network/"+f], files["live/production/network/"+f]); diff != "" {
			t.Errorf("%s (-staging +production):\n%s", f, diff)
		}
	}
}

// TestTidelockFile reads the tidelock.hcl that is handed out: as it is, it says
// nothing; with its comments taken away it sets everything that there is.
func TestTidelockFile(t *testing.T) {
	text := rendered(t, "starter")[planner.ConfigFile]
	asIs, err := planner.ParseConfig([]byte(text), planner.ConfigFile)
	nothing := planner.DefaultRepoConfig()
	nothing.File = planner.ConfigFile
	if err != nil || !reflect.DeepEqual(asIs, nothing) {
		t.Errorf("%v %+v", err, asIs)
	}
	// A setting is one word and an equals sign, a block's line or its end, or a
	// line of a template.
	setting := regexp.MustCompile(`(?m)^# (( *[A-Za-z_]+ +=| *(project|gate|hook|rule) ".*" \{|(template|drift|policy) \{$| *\}$|EOT$|\{\{))`)
	bare := setting.ReplaceAllString(text, "$1")
	cfg, err := planner.ParseConfig([]byte(bare), planner.ConfigFile)
	if err != nil {
		t.Fatalf("%v\n%s", err, bare)
	}
	shown := map[string]bool{} // of any project
	for _, p := range cfg.Projects {
		for i, v := 0, reflect.ValueOf(p); i < v.NumField(); i++ {
			shown[v.Type().Field(i).Name] = shown[v.Type().Field(i).Name] || !v.Field(i).IsZero()
		}
	}
	for i, v := 0, reflect.ValueOf(cfg); i < v.NumField(); i++ {
		shown[v.Type().Field(i).Name] = !v.Field(i).IsZero()
	}
	delete(shown, "Commit") // whoever reads the file fills it in
	for name, is := range shown {
		if !is {
			t.Errorf("tidelock.hcl does not show %s", name)
		}
	}
	for _, o := range planner.ConfigOptions() {
		if !regexp.MustCompile(`(?m)^# *` + o.Name + ` +=`).MatchString(text) {
			t.Errorf("tidelock.hcl does not show %s", o.Name)
		}
	}
}

func TestValuesAreToldAllAtOnce(t *testing.T) {
	for _, tc := range []struct {
		name      string
		blueprint string
		values    Values
		want      []string
	}{
		{"none", "aws", Values{}, []string{"The client is missing", "The owner is missing", "The region is missing"}},
		{"all wrong", "aws", Values{"Acme Inc", "a b", "europe"},
			[]string{`The client "Acme Inc" won't do`, `The owner "a b" won't do`, `The region "europe" won't do`}},
		{"one that it does not take", "starter", Values{"acme", "ada", "eu-west-1"}, []string{"The blueprint starter takes no region."}},
		{"one of each kind", "aws", Values{Client: "-", Region: "eu-west-1"}, []string{`The client "-" won't do`, "The owner is missing"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files, err := Render(tc.blueprint, tc.values)
			if !errs.Is(err, errs.Invalid) || files != nil {
				t.Fatalf("error %v, %d files", err, len(files))
			}
			lines := strings.Split(errs.Sentence(err), "\n")
			if len(lines) != len(tc.want) {
				t.Fatalf("%d problems, want %d:\n%s", len(lines), len(tc.want), errs.Sentence(err))
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("%q, want %q", lines[i], want)
				}
			}
		})
	}
}

// TestThreat_ValuesReachNoOtherLanguage: what would be read as HCL, a template,
// Markdown, a path or another line is refused for each value.
func TestThreat_ValuesReachNoOtherLanguage(t *testing.T) {
	for _, bad := range []string{
		`a"b`, "a\nb", "acme\n", "${file}", "%{if}", "[[ .owner ]]", "{{.}}", "../up", "a/../b", "/a", "a/b/c", `a\b`, "a b", "*", "#a", "`a`", "<b>", "$(id)", "-rf",
		"a--b/", "@", "@@a", "ä", "a\x00", "a\u202eb", strings.Repeat("a", 101),
	} {
		if _, err := Render("aws", Values{bad, "ada", "eu-west-1"}); !errs.Is(err, errs.Invalid) {
			t.Errorf("client %q: %v", bad, err)
		}
		if _, err := Render("aws", Values{"acme", bad, "eu-west-1"}); !errs.Is(err, errs.Invalid) {
			t.Errorf("owner %q: %v", bad, err)
		}
		if _, err := Render("aws", Values{"acme", "ada", bad}); !errs.Is(err, errs.Invalid) {
			t.Errorf("region %q: %v", bad, err)
		} else if n := len(errs.Sentence(err)); n > 300 {
			t.Errorf("a sentence of %d characters", n)
		}
	}
	for _, good := range []Values{{"a", "ada", "us-gov-west-1"}, {"acme-2", "@Acme-Inc/core_infra-2", "ap-southeast-4"}, {strings.Repeat("a", 40), "a/b", "eu-west-1"}} {
		if _, err := Render("aws", good); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
}

func TestClientFrom(t *testing.T) {
	for folder, want := range map[string]string{
		"acme": "acme", "Acme_Infra": "acme-infra", "..": "", "/": "", "--a  b--": "a-b", "köln": "k-ln",
		strings.Repeat("a", 39) + "-b": strings.Repeat("a", 39),
	} {
		if got := ClientFrom(folder); got != want {
			t.Errorf("%q: %q, want %q", folder, got, want)
		}
	}
}

func TestRenderUnknown(t *testing.T) {
	for _, name := range []string{"", "azure", "common", "../starter", "starter/live"} {
		_, err := Render(name, bundled["starter"].values)
		if !errs.Is(err, errs.NotFound) || !strings.Contains(errs.Sentence(err), "There are: aws, starter.") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestRenderRules plays blueprints of its own: which file wins, what is a
// template, and what is wrong with one.
func TestRenderRules(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	good := fstest.MapFS{
		"README.md":       file("beside the blueprints\n"),
		"common/a":        file("shared\n"),
		"common/.b.tmpl":  file("shared [[ .client ]]\n"),
		"one/a.tmpl":      file("own [[ .client ]]\n"),
		"one/list.tf":     file("x = [[1], [\"[[ .client ]]\"]]\n"),
		manifestOf("one"): file("description = \"d\"\nvalues = [\"client\"]\nfirst = \"a\"\n"),
		manifestOf("two"): file("description = \"d\"\nvalues = []\nfirst = \"a\"\n"),
	}
	files, err := render(good, "one", Values{Client: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	want := []File{{".b", []byte("shared acme\n")}, {"a", []byte("own acme\n")}, {"list.tf", []byte("x = [[1], [\"[[ .client ]]\"]]\n")}}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := render(good, "two", Values{}); err == nil {
		t.Error("two uses a value, in what is shared, that it does not list")
	}
	for name, broken := range map[string]fstest.MapFS{
		"no manifest":          {"one/a": file("")},
		"an unknown value":     {manifestOf("one"): file("description = \"d\"\nvalues = [\"shoe\"]\nfirst = \"a\"\n")},
		"an unknown attribute": {manifestOf("one"): file("description = \"d\"\nvalues = []\nfirst = \"a\"\nx = 1\n")},
		"a broken template":    {manifestOf("one"): file("description = \"d\"\nvalues = []\nfirst = \"a\"\n"), "one/a.tmpl": file("[[ if ]]")},
	} {
		if _, err := render(broken, "one", Values{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func manifestOf(name string) string { return name + "/" + manifest }
