package explorer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/state"
)

func TestInventoryFollowsStates(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		bucket := res{typ: "aws_s3_bucket", name: "logs", attrs: map[string]any{"id": "acme-logs", "arn": "arn:aws:s3:eu-west-1::acme-logs", "tags": map[string]any{"env": "prod"}}}
		vm := res{module: `module.app["x.y"]`, typ: "aws_instance", name: "web", key: 0, attrs: map[string]any{"id": "i-1", "availability_zone": "eu-north-1b", "ebs_optimized": true, "cpu": 2}}
		w.write(w.acme, "net/prod", stateText(1, "l1", bucket, vm, res{typ: "aws_ami", name: "x", data: true, attrs: map[string]any{"id": "ami-1"}}))
		w.write(w.beta, "net/prod", stateText(1, "l2", bucket))
		if n, err := w.index.Behind(t.Context(), w.acme); err != nil || n != 1 {
			t.Errorf("%d are behind, %v", n, err)
		}
		w.refresh()
		if got := w.find(Query{Client: w.acme}); got != "net/prod aws_s3_bucket.logs\nnet/prod module.app[\"x.y\"].aws_instance.web[0]" {
			t.Errorf("found\n%s", got)
		}
		p, err := w.index.Search(t.Context(), Query{Client: w.acme, Type: "aws_instance", Full: true})
		if err != nil || len(p.Resources) != 1 {
			t.Fatalf("%+v, %v", p, err)
		}
		r := p.Resources[0]
		if r.ID != "i-1" || r.Region != "eu-north-1" || r.Provider != "registry.terraform.io/hashicorp/aws" || r.Module != `module.app["x.y"]` || !r.Kept ||
			fmt.Sprint(r.Attributes) != "[{availability_zone eu-north-1b} {cpu 2} {ebs_optimized true} {id i-1}]" {
			t.Errorf("%+v", r)
		}
		// Another version, a restore of the first, and its end.
		w.write(w.acme, "net/prod", stateText(2, "l1", bucket))
		w.refresh()
		if got := w.find(Query{Client: w.acme}); got != "net/prod aws_s3_bucket.logs" {
			t.Errorf("after the second version:\n%s", got)
		}
		ask, err := w.states.AskRestore(t.Context(), w.acme, "net/prod", 1, alice, "x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.states.ApproveRestore(t.Context(), ask.ID, bob); err != nil {
			t.Fatal(err)
		}
		w.refresh()
		if got := w.find(Query{Client: w.acme}); strings.Count(got, "\n") != 1 {
			t.Errorf("after the restore:\n%s", got)
		}
		if err := w.states.Delete(t.Context(), w.acme, "net/prod", alice, ""); err != nil {
			t.Fatal(err)
		}
		w.refresh()
		if got := w.find(Query{}); got != "net/prod aws_s3_bucket.logs" { // beta's
			t.Errorf("after the deletion:\n%s", got)
		}
		if n, err := w.index.Refresh(t.Context(), ""); n != 0 || err != nil {
			t.Errorf("another look read %d, %v", n, err)
		}
	})
}

// What can't be looked into is told, and not tried again and again.
func TestInventoryTellsWhatItCanNotRead(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.write(w.acme, "a", `{"serial":1,"lineage":"a","meta":{},"encrypted_data":"AAAA","encryption_version":"v0"}`)
	w.write(w.acme, "b", `{"version":4,"serial":1,"lineage":"b","terraform_version":"1.11.4","resources":[{"mode":"managed","type":"x_y","name":"z","instances":[{"attributes":[1]}]}]}`)
	w.write(w.acme, "c", `{"version":3,"serial":1,"lineage":"c","terraform_version":"0.11.0","modules":[]}`)
	w.refresh()
	all, err := w.index.Sources(t.Context(), w.acme)
	if err != nil || len(all) != 3 || !strings.Contains(all[0].Note, "encrypted by OpenTofu") || !strings.Contains(all[1].Note, "can't be looked into") || !strings.Contains(all[2].Note, "format 4") {
		t.Errorf("%+v, %v", all, err)
	}
	w.write(w.acme, "a", stateText(2, "a", res{typ: "x_y", name: "z", attrs: map[string]any{"id": "1"}}))
	w.refresh()
	if got := w.find(Query{}); got != "a x_y.z" {
		t.Errorf("found %s", got)
	}
	if all, err = w.index.Sources(t.Context(), w.acme); err != nil || all[0].Note != "" || all[0].Resources != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

// randomState makes up some resources of few names, so that versions share,
// lose and change them.
func randomState(r *rand.Rand) []res {
	var all []res
	for i := range r.IntN(30) {
		if r.IntN(3) == 0 {
			continue
		}
		attrs := map[string]any{"id": fmt.Sprint("id-", i), "size": r.IntN(3)}
		if r.IntN(4) == 0 {
			attrs["tags"] = map[string]any{"Name": fmt.Sprint("n", r.IntN(3)), "password": fmt.Sprint("canary-", r.IntN(100000))}
		}
		one := res{typ: fmt.Sprint("aws_t", i%4), name: fmt.Sprint("r", i), attrs: attrs}
		if i%5 == 0 {
			one.module = "module.m"
		}
		all = append(all, one)
	}
	return all
}

// TestInventoryIsThatOfTheVersionsThatCount: whatever was written, deleted,
// restored and cut off in the middle, the inventory ends up as one that is
// built from nothing.
func TestInventoryIsThatOfTheVersionsThatCount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		r := rand.New(rand.NewPCG(7, uint64(len(d.Dialect()))))
		names, serial := []string{"a", "b/c", "d"}, int64(0)
		cutOff := 0
		for step := range 120 {
			client, name := []string{w.acme, w.beta}[r.IntN(2)], names[r.IntN(len(names))]
			switch r.IntN(8) {
			case 0, 1, 2, 3:
				serial++
				w.write(client, name, stateText(serial, client+name, randomState(r)...))
			case 4:
				if err := w.states.Delete(t.Context(), client, name, alice, ""); err != nil {
					t.Fatal(err)
				}
			case 5:
				versions, err := w.states.Versions(t.Context(), client, name, 10)
				if err != nil {
					t.Fatal(err)
				}
				if len(versions) < 2 {
					continue
				}
				ask, err := w.states.AskRestore(t.Context(), client, name, versions[1+r.IntN(len(versions)-1)].Seq, alice, "x")
				if err != nil {
					continue // it is the one that counts
				}
				v, err := w.states.ApproveRestore(t.Context(), ask.ID, bob)
				if err != nil {
					t.Fatal(err)
				}
				serial = max(serial, v.Serial)
			case 6:
				w.refresh()
			case 7: // the process dies in the middle
				if w.dies(r.IntN(4)) {
					cutOff++
				}
			}
			if step%40 == 39 {
				w.refresh()
				got := w.dump()
				for _, table := range []string{"inventory_attributes", "inventory_resources", "inventory_sources"} {
					w.exec("DELETE FROM " + table)
				}
				w.refresh()
				if want := w.dump(); got != want {
					t.Fatalf("step %d: the inventory is\n%s\nand built anew it is\n%s", step, got, want)
				}
				if strings.Contains(got, "canary") || !strings.Contains(got, "aws_t1.r1") {
					t.Fatalf("the inventory is\n%s", got)
				}
			}
		}
		if cutOff < 3 {
			t.Errorf("only %d writings were cut off", cutOff)
		}
	})
}

// dies begins to read a state that is behind, writes so many resources, and
// goes no further.
func (w *world) dies(rows int) bool {
	w.t.Helper()
	all, err := w.states.States(w.t.Context(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range all {
		if !s.Exists() {
			continue
		}
		wr, err := w.index.begin(w.t.Context(), source{id: kindState + "/" + s.ID, client: s.Client, kind: kindState, state: s.ID, name: s.Name, lineage: s.Lineage, version: s.Current})
		if err != nil {
			w.t.Fatal(err)
		}
		for i := range rows {
			in := state.Instance{Address: fmt.Sprint("aws_half.r", i), Mode: "managed", Type: "aws_half", Name: fmt.Sprint("r", i)}
			g := state.NewSecrets()
			g.Close()
			one, _ := rowOf(in, g)
			if err := wr.add(w.t.Context(), one); err != nil {
				w.t.Fatal(err)
			}
		}
		if err := wr.flush(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		return true
	}
	return false
}

// Several processes that read the same states at once leave what one does.
func TestManyReadAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		r := rand.New(rand.NewPCG(1, 2))
		var all sync.WaitGroup
		others := make([]*Index, 3)
		for i := range others {
			others[i] = New(d, w.states, nil, func() time.Time { return time.UnixMilli(w.clock.Add(int64(restTime/time.Millisecond) + 1)) })
		}
		for serial := range int64(8) {
			for _, name := range []string{"a", "b"} {
				w.write(w.acme, name, stateText(serial+1, name, randomState(r)...))
			}
			for _, x := range others {
				all.Go(func() {
					if _, err := x.Refresh(context.WithoutCancel(t.Context()), ""); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		w.refresh()
		got := w.dump()
		for _, table := range []string{"inventory_attributes", "inventory_resources", "inventory_sources"} {
			w.exec("DELETE FROM " + table)
		}
		w.refresh()
		if want := w.dump(); got != want {
			t.Errorf("the inventory is\n%s\nand built anew it is\n%s", got, want)
		}
	})
}

// TestThreat_InventoryHoldsNoSecret looks for canaries in the database's files,
// where a deleted row would still be seen.
func TestThreat_InventoryHoldsNoSecret(t *testing.T) {
	dsn := dbtest.SQLiteDSN(t)
	d := dbtest.Open(t, dsn)
	w := newWorld(t, d)
	pem := "-----BEGIN RSA PRIVATE KEY-----\ncanary-pem\n-----END RSA PRIVATE KEY-----\n"
	text := stateText(1, "l", []res{
		{typ: "aws_db_instance", name: "db", marks: `[[{"type":"get_attr","value":"special"}],[{"type":"get_attr","value":"nested"},{"type":"index","value":{"value":0,"type":"number"}}]]`, attrs: map[string]any{
			"id": "db-1", "password": "canary-password", "special": "canary-marked-1", "nested": []any{map[string]any{"x": "canary-nested"}}, "engine": "shown-engine",
			"copy": "canary-marked-1", "inside": "prefix canary-marked-1 suffix", "as_base64": "Y2FuYXJ5LW1hcmtlZC0x", "private_key_pem": "canary-key", "master_user_secret": []any{map[string]any{"x": "canary-mus"}},
		}},
		{typ: "aws_lambda_function", name: "f", attrs: map[string]any{"id": "f", "environment": []any{map[string]any{"variables": map[string]any{"DB_TOKEN": "canary-token", "STAGE": "shown-stage"}}}}},
		{typ: "aws_ecs_task_definition", name: "t", attrs: map[string]any{"id": "t", "container_definitions": `[{"environment":[{"name":"DB_PASSWORD","value":"canary-json"}]}]`}},
		{typ: "google_cloud_run_service", name: "r", attrs: map[string]any{"id": "r", "env": []any{map[string]any{"name": "API_KEY", "value": "canary-pair"}, map[string]any{"name": "STAGE", "value": "shown-pair"}}}},
		{typ: "aws_secretsmanager_secret_version", name: "s", attrs: map[string]any{"id": "arn:shown-secret", "blob": "canary-blob"}},
		{typ: "random_password", name: "r", attrs: map[string]any{"id": "none", "result": "canary-result", "bcrypt_hash": "canary-hash"}},
		{typ: "x_y", name: "u", attrs: map[string]any{"id": "u", "uri": "postgres://u:canary-uri@h/d", "text": pem, "line": "-----BEGIN PRIVATE KEY----- canary-line", "jwt": "eyJhbGciOiJIUzI1NiJ9.canary-jwt", "cmd": "run --password=canary-cmd", "gh": "ghp_canarycanarycanarycanary12"}},
		{typ: "x_data", name: "d", data: true, attrs: map[string]any{"id": "d", "token": "canary-of-a-data-source"}},
		{typ: "x_y", name: "v", attrs: map[string]any{"id": "canary-of-a-data-source", "note": "canary-output"}},
		{typ: "x_y", name: "k", key: "canary-output", attrs: map[string]any{"id": "k"}},
		{typ: "x_y", name: "m", attrs: map[string]any{"id": "m", "map": map[string]any{"canary-output": "x"}}},
	}...)
	// Marked outputs are secret wherever else they stand, in names too.
	w.write(w.acme, "p", strings.Replace(text, `"outputs":{}`, `"outputs":{"x":{"value":["canary-output"],"type":"string","sensitive":true},"y":{"value":"shown-db","type":"string"}}`, 1))
	w.refresh()
	err := w.index.Planned(t.Context(), Planned{Client: w.acme, Repo: 1, Dir: "live", Workspace: "default", Name: "live", Plan: plan(t, `{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[
		{"address":"aws_db_instance.p","mode":"managed","type":"aws_db_instance","name":"p","provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":["no-op"],
		"before":{"id":"shown-plan","password":"canary-p1","odd":"canary-p2","list":[{"x":"canary-p3","y":"shown-y"}],"copy":"canary-p2","late":"canary-p4"},"after":{},
		"before_sensitive":{"odd":true,"list":[{"x":true}]},"after_sensitive":{"late":true}}}],
		"configuration":{"root_module":{"module_calls":{"m":{"source":"git::https://user:canary-git@example.com/m.git?ref=v1&sshkey=canary-ssh","module":{}}}}}}`)})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.find(Query{Type: "x_y"}); got != "p x_y.m\np x_y.u\np x_y.v" { // k has a secret in its address
		t.Errorf("found\n%s", got)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	var raw strings.Builder
	files, err := filepath.Glob(strings.TrimPrefix(dsn, "sqlite:") + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		raw.Write(b)
	}
	for at, rest := 0, raw.String(); ; {
		i := strings.Index(rest[at:], "canary")
		if i < 0 {
			break
		}
		at += i
		t.Errorf("in the database: %q", rest[max(0, at-60):min(len(rest), at+60)])
		at++
	}
	for _, shown := range []string{"shown-plan", "shown-y", "shown-engine", "shown-stage", "shown-pair", "arn:shown-secret", "https://example.com/m.git"} {
		if !strings.Contains(raw.String(), shown) {
			t.Errorf("%s is not in the database: the test can't tell", shown)
		}
	}
}

// The watch sees a change by the audit trail, and looks at no state without one.
func TestWatchSeesChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.write(w.acme, "a", stateText(1, "a", res{typ: "aws_x", name: "one", attrs: map[string]any{"id": "1"}}))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { w.index.Watch(ctx, time.Millisecond) })
		defer wg.Wait()
		defer cancel()
		until := func(want int) {
			t.Helper()
			for n := -1; n != want; {
				if err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM inventory_resources`).Scan(&n); err != nil {
					t.Fatal(err)
				}
			}
		}
		until(1)
		w.write(w.acme, "a", stateText(2, "a", res{typ: "aws_x", name: "one", attrs: map[string]any{"id": "1"}}, res{typ: "aws_x", name: "two", attrs: map[string]any{"id": "2"}}))
		until(2)
		if err := w.states.Delete(t.Context(), w.acme, "a", alice, ""); err != nil {
			t.Fatal(err)
		}
		until(0)
		// Behind the trail's back nothing is looked at until the minute is over.
		w.exec(`UPDATE inventory_sources SET format = 0`)
		w.clock.Add(lookAnyway.Milliseconds())
		for n := 1; n != 0; {
			if err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM inventory_sources WHERE format = 0`).Scan(&n); err != nil {
				t.Fatal(err)
			}
		}
	})
}
