package state_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/state"
)

// What real tools mark as sensitive is neither compared in the open nor given
// to the inventory, where they write it a second time too: terraform_data's
// output has no mark, and what is in a value of an open type is marked by
// another path than it stands at.
func TestThreat_SecretsOfRealStates(t *testing.T) {
	eachTool(t, func(t *testing.T, tool string) {
		w := sqliteWorld(t)
		l := newLaptop(t, w, tool, w.token(w.acme, "**"), "net/prod")
		code := func(n string) {
			l.write("main.tf", strings.ReplaceAll(`
terraform {
  backend "http" {}
}
variable "s" {
  default   = "canary-secret-N"
  sensitive = true
}
resource "terraform_data" "whole" {
  input            = var.s
  triggers_replace = ["x-${var.s}", "shown-N"]
}
resource "terraform_data" "part" {
  input = { pin = sensitive("c4nN"), list = [sensitive("canary-in-a-list-N")], plain = "shown-N" }
}
resource "terraform_data" "copy" {
  input = nonsensitive("a copy of ${var.s}")
}
output "marked" {
  value     = var.s
  sensitive = true
}
output "plain" {
  value = "shown-N"
}
`, "N", n))
			if n == "1" {
				l.run("init")
			}
			l.run("apply", "-auto-approve")
		}
		code("1")
		code("2")
		all, err := w.store.Versions(t.Context(), w.acme.ID, "net/prod", 10)
		if err != nil || len(all) < 2 {
			t.Fatalf("%d versions, %v", len(all), err)
		}
		whole := func(from, to int64) string {
			d, err := w.store.Compare(t.Context(), w.acme.ID, "net/prod", from, to)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal([]any{d.Resources, d.Outputs})
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		first := all[len(all)-1].Seq
		for _, text := range []string{whole(first, all[0].Seq), whole(all[0].Seq, first), whole(0, all[0].Seq)} {
			if strings.Contains(text, "canary") || strings.Contains(text, "c4n") {
				t.Errorf("the comparison shows %s", text)
			}
		}
		if text := whole(first, all[0].Seq); !strings.Contains(text, "shown-1") || !strings.Contains(text, "shown-2") || strings.Count(text, `"sensitive":true`) < 6 {
			t.Errorf("the comparison hides what is not secret: %s", text)
		}
		secret := state.NewSecrets()
		var kept strings.Builder
		walk := func(each func(state.Instance) error) {
			t.Helper()
			err := w.store.Walk(t.Context(), w.acme.ID, "net/prod", all[0].Seq, each, func(v any) error { secret.AddAll(v); return nil })
			if err != nil {
				t.Fatal(err)
			}
		}
		walk(func(in state.Instance) error { secret.Learn(in); return nil })
		secret.Close()
		walk(func(in state.Instance) error {
			for path, a := range in.Attributes {
				if !a.Sensitive && !secret.Hides(a.JSON) {
					kept.WriteString(path + "=" + a.JSON + "\n")
				}
			}
			return nil
		})
		if text := kept.String(); strings.Contains(text, "canary") || strings.Contains(text, "c4n") || !strings.Contains(text, "shown-2") {
			t.Errorf("what may be kept is\n%s", text)
		}
	})
}
