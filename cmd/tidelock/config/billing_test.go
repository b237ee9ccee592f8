package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigBilling(t *testing.T) {
	file := filepath.Join(t.TempDir(), "server.hcl")
	load := func(text string) *Reading {
		write(t, file, "data_dir = \"data\"\n"+text)
		return Read(file, nil, NeedDatabase)
	}
	const good = `billing "acme" {
  accounts    = ["111", "/subscriptions/a"]
  tags        = { "client" = "acme" }
  project_tag = "project"
}
`
	l := load(good + "billing \"bolt\" {\n  accounts = [\"222\"]\n}\n")
	if len(l.Problems) > 0 || len(l.Config.Billing) != 2 || l.Config.Billing[0].Tags["client"] != "acme" || l.Config.Billing[1].Accounts[0] != "222" {
		t.Fatalf("%+v, %v", l.Config.Billing, l.Problems)
	}
	var b strings.Builder
	if err := l.Write(&b); err != nil || !strings.Contains(b.String(), "server.hcl:2:1\n"+good) {
		t.Errorf("%v: %s", err, b.String())
	}
	if shown := l.JSON()["billing.acme"]; shown.Value != good || !strings.HasSuffix(shown.Source, "server.hcl:2:1") {
		t.Errorf("%+v", shown)
	}
	for text, want := range map[string]string{
		`billing "a" {}`:                  `billing "a" has neither accounts nor tags`,
		`billing "a" { account = ["1"] }`: "account is not known in a block billing",
		"billing \"a\" {\n  accounts = [\"1\"]\n}\nbilling \"a\" {\n  accounts = [\"2\"]\n}":                         "stands here twice",
		`billing "a" { accounts = ["/"] }`:                                                                           "an account without an ID",
		`billing "a" { tags = { client = "" } }`:                                                                     "would be the client's",
		"billing \"a\" {\n  accounts = [\"1\"]\n}\nbilling \"b\" {\n  accounts = [\"1\"]\n  tags = { c = \"b\" }\n}": "none of its charges is known to be \"a\"'s",
	} {
		if l := load(text); len(l.Problems) == 0 || !strings.Contains(l.Problems[0].String(), want) {
			t.Errorf("%s: %v", text, l.Problems)
		}
	}
}
