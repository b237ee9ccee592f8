package tfrun

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

// TestPlanAndApplyWithAProvider goes through Execute with real resource types,
// from a place whose path is too long for a provider's socket.
func TestPlanAndApplyWithAProvider(t *testing.T) {
	config := toolchaintest.Mirror(t)
	short, err := os.MkdirTemp("/tmp", "tl")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(short)
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": "provider \"aws\" {\n  region = \"eu-west-1\"\n}\nresource \"aws_s3_bucket\" \"b\" {\n  bucket = \"b\"\n}\nresource \"aws_sqs_queue\" \"q\" {\n  name = \"q\"\n}\n"})
		toolchaintest.Write(t, filepath.Join(s.dir, "cli.tfrc"), config)
		t.Setenv("TMPDIR", short)
		spec := s.spec(".")
		spec.Home = filepath.Join(s.dir, strings.Repeat("long", 20))
		r := s.must(spec, OutcomePlanned)
		if r.Summary.Create != 2 || !r.LockFileChanged {
			t.Errorf("%+v", r)
		}
		s.must(applyOf(spec), OutcomeApplied)
		if r := s.must(s.spec("."), OutcomeNoChange); r.LockFileChanged {
			t.Error("the lock file of the first plan was lost or changed")
		}
		left, err := os.ReadDir(short)
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

// TestApplyUsesThePlansProviders: the code pins nothing any more when the plan
// is applied, and a newer version is to be had.
func TestApplyUsesThePlansProviders(t *testing.T) {
	config := toolchaintest.Mirror(t)
	code := func(constraint string) map[string]string {
		return map[string]string{"main.tf": "terraform {\n  required_providers {\n    aws = {\n      source = \"hashicorp/aws\"\n      " + constraint + "\n    }\n  }\n}\nprovider \"aws\" {\n  region = \"eu-west-1\"\n}\nresource \"aws_sqs_queue\" \"q\" {\n  name = \"q\"\n}\n"}
	}
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, code(`version = "~> 5.0"`))
		toolchaintest.Write(t, filepath.Join(s.dir, "cli.tfrc"), config)
		spec := s.spec(".")
		s.must(spec, OutcomePlanned)
		s.lay(code(""))
		s.must(applyOf(spec), OutcomeApplied)
		lock, err := os.ReadFile(filepath.Join(s.root, lockName))
		if err != nil || !strings.Contains(string(lock), "5.100.0") {
			t.Errorf("lock file: %v\n%s", err, lock)
		}
	})
}
