package infracost_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/infracost"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// standIn writes a program that behaves as Infracost 0.10 does: it takes the
// same arguments, keeps what it was given in a folder, and prints the fixture
// after the words of sh that a test adds.
func standIn(t testing.TB, words string) (program, kept string) {
	t.Helper()
	dir := t.TempDir()
	kept = filepath.Join(dir, "kept")
	if err := os.Mkdir(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	fixture, err := filepath.Abs("testdata/breakdown.json")
	if err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(dir, "infracost")
	text := fmt.Sprintf("#!/bin/sh\nkept='%s'\nif [ \"$1\" = --version ]; then echo 'Infracost v0.10.42'; exit 0; fi\n"+
		"echo \"$@\" > $kept/args; env | sort > $kept/env; cp plan.json $kept/; cp infracost-usage.yml $kept/ 2>/dev/null; ls -la > $kept/folder; pwd > $kept/pwd\n"+
		"%s\ncat '%s'\n", kept, words, fixture)
	if err := os.WriteFile(program, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return program, kept
}

func kept(t testing.TB, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fixturePlan is a plan that the fixture could be the answer to.
func fixturePlan(t testing.TB, more ...object) *tfplan.Plan {
	instance := func(typ string) object { return object{"instance_type": typ} }
	return planOf(t, append([]object{
		change("aws_instance", "web", instance("t3.medium"), instance("t3.large"), object{}),
		change("aws_instance", "rare", nil, instance("x99.mega"), object{}),
		change("aws_lambda_function", "hello", nil, object{"function_name": "hello"}, object{}),
		change("aws_sqs_queue", "jobs", nil, object{"name": "jobs"}, object{}),
		change("aws_braket_device", "q", nil, object{"qubits": 4}, object{}),
		change("aws_vpc", "net", nil, object{"cidr_block": "10.0.0.0/8"}, object{}),
		change("random_id", "suffix", nil, object{"byte_length": 4}, object{}),
		change("acme_gadget", "a", object{"x": 1}, object{"x": 1}, object{}),
	}, more...)...)
}

// TestEngine: the program gets the plan, the usage and its key, and nothing
// else; its answer is set beside the plan.
func TestEngine(t *testing.T) {
	program, dir := standIn(t, "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of the server's own")
	engine := &infracost.Engine{
		Program: program, Endpoint: "https://prices.example.com", Temp: t.TempDir(), Env: []string{"HTTPS_PROXY=http://proxy:3128"},
		Key: func(context.Context) (redact.Secret, error) { return redact.NewSecret("ico-0123456789abcdef"), nil },
	}
	usage, err := cost.ReadUsage("usage.yml", []byte("version: 0.1\nresource_usage:\n  aws_lambda_function.hello:\n    monthly_requests: 100_000_000\n  aws_sqs_queue.*:\n    monthly_requests: 1.5\n"))
	if err != nil {
		t.Fatal(err)
	}
	plan := fixturePlan(t)
	e, err := engine.Estimate(t.Context(), plan, cost.Options{Usage: usage, HoursPerMonth: 744})
	if err != nil {
		t.Fatal(err)
	}
	if args := strings.TrimSpace(kept(t, dir, "args")); args != "breakdown --path plan.json --format json --no-color --usage-file infracost-usage.yml" {
		t.Errorf("the arguments are %s", args)
	}
	if kept(t, dir, "plan.json") != string(plan.Raw) {
		t.Error("the plan is another")
	}
	if again, err := cost.ReadUsage("again", []byte(kept(t, dir, "infracost-usage.yml"))); err != nil {
		t.Error(err)
	} else if text, _ := again.YAML(plan); string(text) != kept(t, dir, "infracost-usage.yml") || !strings.Contains(string(text), "monthly_requests: 100000000") || !strings.Contains(string(text), "aws_sqs_queue.jobs:\n        monthly_requests: 1.5") {
		t.Errorf("the usage is %s", text)
	}
	for _, kv := range strings.Split(strings.TrimSpace(kept(t, dir, "env")), "\n") {
		name, value, _ := strings.Cut(kv, "=")
		switch name {
		case "INFRACOST_API_KEY":
			if value != "ico-0123456789abcdef" {
				t.Error(kv)
			}
		case "HOME", "TMPDIR", "PWD":
			if value != strings.TrimSpace(kept(t, dir, "pwd")) {
				t.Errorf("%s is not the folder of the run", kv)
			}
		case "INFRACOST_ENABLE_CLOUD", "INFRACOST_ENABLE_CLOUD_UPLOAD", "INFRACOST_ENABLE_DASHBOARD":
			if value != "false" {
				t.Error(kv)
			}
		case "INFRACOST_CURRENCY", "INFRACOST_PRICING_API_ENDPOINT", "INFRACOST_SKIP_UPDATE_CHECK", "INFRACOST_DISABLE_ENVFILE", "INFRACOST_NO_COLOR", "HTTPS_PROXY", "PATH", "LANG", "_", "SHLVL", "OLDPWD":
		default:
			t.Errorf("the program gets %s", kv)
		}
	}
	if folder := kept(t, dir, "folder"); !strings.Contains(folder, "-rw------- ") || strings.Contains(folder, "-rw-r") {
		t.Errorf("others can read what the program is given:\n%s", folder)
	}
	if left, err := os.ReadDir(engine.Temp); err != nil || len(left) > 0 {
		t.Errorf("%d folders are left, %v", len(left), err)
	}
	want := cost.Counts{Priced: 1, Free: 2, Usage: 2, NotPriced: 3, Total: 8, NoPrice: 1, Unsupported: 2}
	if e.Counts != want || !e.AtLeast || e.Bound != cost.BoundAtLeast || !e.Delta.Equal(decimals(t, "50.368")) {
		t.Errorf("%+v %v %s %s", e.Counts, e.AtLeast, e.Bound, e.Delta)
	}
	var order []string
	for _, r := range e.Resources {
		order = append(order, r.Address+" "+string(r.Action)+" "+string(r.Status))
	}
	if got := strings.Join(order, ", "); got != "acme_gadget.a noop unsupported, aws_braket_device.q create unsupported, aws_instance.rare create no_price, aws_instance.web update priced, "+
		"aws_lambda_function.hello create usage, aws_sqs_queue.jobs create usage, aws_vpc.net create free, random_id.suffix create free" {
		t.Errorf("the resources are %s", got)
	}
	if len(e.Notes) != 1 || !strings.Contains(e.Notes[0], "730 hours") {
		t.Errorf("the notes are %q", e.Notes)
	}
}

// TestEngineMoved: a resource that the plan moves is one, not two.
func TestEngineMoved(t *testing.T) {
	program, _ := standIn(t, "sed 's/aws_instance.web/aws_instance.old/' '"+fixturePath(t)+"' | sed '60,$s/aws_instance.old/aws_instance.web/'; exit 0")
	moved := change("aws_instance", "web", object{"instance_type": "t3.medium"}, object{"instance_type": "t3.large"}, object{})
	moved["previous_address"] = "aws_instance.old"
	e, err := (&infracost.Engine{Program: program}).Estimate(t.Context(), planOf(t, moved), cost.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range e.Resources {
		if r.Address == "aws_instance.old" || r.Address == "aws_instance.web" && (r.Delta == nil || !r.Delta.Equal(decimals(t, "30.368"))) {
			t.Errorf("%s: %v", r.Address, r.Delta)
		}
	}
}

func fixturePath(t testing.TB) string {
	path, err := filepath.Abs("testdata/breakdown.json")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestThreat_EngineHidesSensitiveValues: what the plan marks as sensitive is
// in no line of the estimate, though Infracost names lines by it.
func TestThreat_EngineHidesSensitiveValues(t *testing.T) {
	program, _ := standIn(t, "")
	secret := change("aws_instance", "web", object{"instance_type": "t3.medium"}, object{"instance_type": "t3.large"}, object{})
	secret["change"].(object)["after_sensitive"] = object{"instance_type": true}
	plan := planOf(t, secret)
	e, err := (&infracost.Engine{Program: program}).Estimate(t.Context(), plan, cost.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range e.Resources {
		for _, c := range append(append([]cost.Component{}, r.Components...), r.Was...) {
			if strings.Contains(c.Name+c.Detail, "t3.large") {
				t.Errorf("%s shows %s, %s", r.Address, c.Name, c.Detail)
			}
		}
	}
}

// TestEngineFails: each failure is one that says why, and none is an estimate
// of zero.
func TestEngineFails(t *testing.T) {
	key := func(context.Context) (redact.Secret, error) { return redact.NewSecret("ico-0123456789abcdef"), nil }
	for name, tc := range map[string]struct {
		words string
		kind  errs.Kind
		want  []string
		not   string
	}{
		"a bad exit":         {`echo "Error: no such key $INFRACOST_API_KEY in $PWD/plan.json" >&2; exit 1`, errs.Unavailable, []string{"Infracost failed", "no such key", "plan.json"}, "ico-"},
		"one among its log":  {`printf 'ERROR request failed error dial tcp \033[36mlibrary=\033[0mhttp\nError: INFRACOST_API_KEY is not set\nSee the help.\nERROR request failed again\n' >&2; exit 1`, errs.Unavailable, []string{"It said: Error: INFRACOST_API_KEY is not set See the help."}, "request failed"},
		"no pricing service": {`sed 's/"type": "terraform_plan_json"/"type": "error", "errors": [{"code":0,"message":"the pricing service does not answer","data":null,"isError":false}]/' '` + fixturePath(t) + `'; exit 0`, errs.Unavailable, []string{"could not estimate the plan: the pricing service does not answer"}, ""},
		"a path of ours":     {`echo "Error: $PWD" >&2; exit 1`, errs.Unavailable, []string{"Infracost failed"}, "tidelock-infracost-"},
		"no JSON":            {`echo Infracost is tired; exit 0`, errs.Invalid, []string{"what infracost printed:1", "no JSON"}, ""},
		"half of it":         {`head -c 500 '` + fixturePath(t) + `'; exit 0`, errs.Invalid, []string{"cut off"}, ""},
		"another version":    {`sed 's/"0.2"/"0.9"/' '` + fixturePath(t) + `'; exit 0`, errs.Invalid, []string{`version is "0.9"`}, ""},
		"another currency":   {`sed 's/"USD"/"EUR"/' '` + fixturePath(t) + `'; exit 0`, errs.Invalid, []string{"answered in EUR"}, ""},
		"an error inside":    {`sed 's/"vcsSubPath": "plan.json",/"errors": [{"code":101,"message":"it would not parse","data":null,"isError":true}],/' '` + fixturePath(t) + `'; exit 0`, errs.Unavailable, []string{"it would not parse"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			program, _ := standIn(t, tc.words)
			e, err := (&infracost.Engine{Program: program, Key: key}).Estimate(t.Context(), fixturePlan(t), cost.Options{})
			text := errs.Sentence(err)
			if !errs.Is(err, tc.kind) || len(e.Resources) > 0 {
				t.Fatalf("got %v", err)
			}
			for _, want := range tc.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q does not say %q", text, want)
				}
			}
			if tc.not != "" && strings.Contains(text, tc.not) {
				t.Errorf("%q tells of %q", text, tc.not)
			}
		})
	}
	_, err := (&infracost.Engine{Program: filepath.Join(t.TempDir(), "none")}).Estimate(t.Context(), fixturePlan(t), cost.Options{})
	if !errs.Is(err, errs.NotFound) || !strings.Contains(errs.Sentence(err), "cost.infracost_path") {
		t.Errorf("no program: %v", err)
	}
}

// TestEngineStops: a program that does not end is ended, with what it began,
// when its time is up.
func TestEngineStops(t *testing.T) {
	program, dir := standIn(t, `sleep 300 & echo $! > $kept/child; wait`)
	start := time.Now()
	_, err := (&infracost.Engine{Program: program, Timeout: time.Second}).Estimate(t.Context(), fixturePlan(t), cost.Options{})
	if !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), "took longer than 1s") {
		t.Fatalf("got %v", err)
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	child := strings.TrimSpace(kept(t, dir, "child"))
	deadline := time.Now().Add(10 * time.Second)
	for alive(child) && time.Now().Before(deadline) { // whoever collects it is not us
		<-time.After(10 * time.Millisecond)
	}
	if alive(child) {
		t.Errorf("process %s is still there", child)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&infracost.Engine{Program: program}).Estimate(ctx, fixturePlan(t), cost.Options{}); err == nil || ctx.Err() == nil {
		t.Errorf("a context that has ended: %v", err)
	}
}

// alive reports whether a process runs: one that ended and was not collected
// does not.
func alive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

// TestEngineVersion: another minor version is refused, and so is what is no
// Infracost.
func TestEngineVersion(t *testing.T) {
	program, _ := standIn(t, "")
	if v, err := (&infracost.Engine{Program: program}).Version(t.Context()); err != nil || v != "0.10.42" {
		t.Errorf("%q, %v", v, err)
	}
	for answer, want := range map[string]string{"Infracost v0.11.0": "is Infracost 0.11.0", "hello": "no Infracost"} {
		other := filepath.Join(t.TempDir(), "infracost")
		if err := os.WriteFile(other, []byte("#!/bin/sh\necho "+answer+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := (&infracost.Engine{Program: other}).Version(t.Context()); !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), want) {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// TestFault_KilledServerLeavesNoPlanOfItsOwn: a run's folder outlives a server
// that was killed, and the next run removes it, but not one that may be in use.
func TestFault_KilledServerLeavesNoPlanOfItsOwn(t *testing.T) {
	program, _ := standIn(t, "")
	temp := t.TempDir()
	left, used := filepath.Join(temp, "tidelock-infracost-1"), filepath.Join(temp, "tidelock-infracost-2")
	for _, dir := range []string{left, used} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "plan.json"), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(left, long, long); err != nil {
		t.Fatal(err)
	}
	e := &infracost.Engine{Program: program, Temp: temp}
	if _, err := e.Estimate(t.Context(), fixturePlan(t), cost.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("the plan of a killed run is still there: %v", err)
	}
	if _, err := os.Stat(used); err != nil {
		t.Errorf("a folder that may be in use is gone: %v", err)
	}
}
