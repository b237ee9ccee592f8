package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/state"
)

const (
	stateWriters = 16
	stateReaders = 4
	stateLockers = 2
	stateRate    = 150             // writes in a second
	stateTime    = 8 * time.Second // of each measurement
	stateWarm    = time.Second
)

// stateWorld is the state service on SQLite as a server has it, behind HTTP.
type stateWorld struct {
	url, token string
	client     *http.Client
	bodies     [][]byte // of each writer, with room for the serial
}

// benchState measures the state service with states of 1 MB. The clients are
// this process too, on the same processors.
func benchState(ctx context.Context, b *bench) error {
	w, stop, err := newStateWorld(ctx, b.tools.dir)
	if err != nil {
		return err
	}
	defer stop()
	serials := make([]int, stateWriters)
	write := func(worker int) error {
		serials[worker]++
		body := w.bodies[worker]
		copy(body[stateSerial:], fmt.Sprintf("%9d", serials[worker]))
		return w.ask(ctx, http.MethodPost, fmt.Sprintf("bench/p%d", worker), body)
	}
	before := processorTime()
	rate, _, err := pace(stateWriters, 0, write)
	if err != nil {
		return err
	}
	spent, written := processorTime()-before, rate*(stateTime+stateWarm).Seconds()
	if err := b.reach("state: writes of 1 MB, 16 writers, as many as can be", rate, "1/s", stateRate); err != nil {
		return err
	}
	if err := b.note("state: processor time of a write and its client", spent.Seconds()*1000/written, "ms"); err != nil {
		return err
	}
	_, took, err := pace(stateWriters, stateRate, write)
	if err != nil {
		return err
	}
	if err := b.aim("state: a write, 16 writers, 150 a second, p99", percentile(took, 99), "ms", 60); err != nil {
		return err
	}
	if err := b.note("state: a write, 16 writers, 150 a second, median", percentile(took, 50), "ms"); err != nil {
		return err
	}
	rate, took, err = pace(stateReaders, 0, func(worker int) error { return w.ask(ctx, http.MethodGet, fmt.Sprintf("bench/p%d", worker), nil) })
	if err != nil {
		return err
	}
	if err := b.reach("state: reads of 1 MB", rate, "1/s", 500); err != nil {
		return err
	}
	if err := b.note("state: a read, p99", percentile(took, 99), "ms"); err != nil {
		return err
	}
	held := make([]bool, stateLockers)
	_, took, err = pace(stateLockers, 0, func(worker int) error {
		method := "LOCK"
		if held[worker] {
			method = "UNLOCK"
		}
		held[worker] = !held[worker]
		return w.ask(ctx, method, fmt.Sprintf("bench/p%d", worker), fmt.Appendf(nil, `{"ID":"lock-%d","Operation":"OperationTypeApply","Who":"bench"}`, worker))
	})
	if err != nil {
		return err
	}
	return b.aim("state: lock or unlock, p99", percentile(took, 99), "ms", 10)
}

func newStateWorld(ctx context.Context, dir string) (w *stateWorld, stop func(), err error) {
	d, err := db.Open(ctx, "sqlite:"+filepath.Join(dir, "state", "tidelock.db"))
	if err != nil {
		return nil, nil, err
	}
	if err := d.Migrate(ctx); err != nil {
		return nil, nil, err
	}
	key := redact.NewSecret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))
	blobs, err := blob.Open(filepath.Join(dir, "state", "blobs"), key)
	if err != nil {
		return nil, nil, err
	}
	local, err := keyring.NewLocal(key)
	if err != nil {
		return nil, nil, err
	}
	ring, err := keyring.New(local)
	if err != nil {
		return nil, nil, err
	}
	trail, who := access.NewTrail(d), clients.NewStore(d)
	tokens := access.NewTokens(d, trail, nil)
	store := state.New(state.Options{DB: d, Blobs: blobs, Keys: ring, Trail: trail, Tokens: tokens, Limits: state.Limits{Size: 256 << 20}})
	var c clients.Client
	if err := d.Tx(ctx, func(tx *db.Tx) (err error) {
		c, err = who.Ensure(ctx, tx, clients.Installation{ID: 1, Account: "acme", AccountID: 1})
		return err
	}); err != nil {
		return nil, nil, err
	}
	token, _, err := tokens.Create(ctx, access.NewToken{Client: c.ID, Name: "bench", Projects: []string{"**"}, Scopes: access.Scopes(), By: access.Actor{Kind: access.Bot}})
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: store.Handler(who), ReadHeaderTimeout: 10 * time.Second}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(l) })
	w = &stateWorld{url: "http://" + l.Addr().String() + "/state/acme/", token: token.Reveal(),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: stateWriters}}}
	for i := range stateWriters {
		w.bodies = append(w.bodies, benchDocument(i))
	}
	return w, func() {
		w.client.CloseIdleConnections()
		_ = server.Close()
		wg.Wait()
		_ = blobs.Close()
		_ = d.Close()
	}, nil
}

const (
	stateHead   = `{"version":4,"terraform_version":"1.11.4","serial":`
	stateSerial = len(stateHead)
)

// benchDocument returns a state of 1 MB as Terraform writes it, whose
// resources differ in what differs in real ones: names, IDs, addresses.
func benchDocument(writer int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%9d,\n  \"lineage\": \"bench-%d\",\n  \"outputs\": {},\n  \"resources\": [", stateHead, 0, writer)
	seed := uint64(writer)*7919 + 1
	next := func() uint64 { // xorshift: the same in each run
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return seed
	}
	for i := 0; b.Len() < 1<<20; i++ {
		comma := ","
		if i == 0 {
			comma = ""
		}
		id := fmt.Sprintf("%017x", next())
		fmt.Fprintf(&b, `%s
    {
      "mode": "managed",
      "type": "aws_instance",
      "name": "web_%d",
      "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
      "instances": [
        {
          "schema_version": 1,
          "attributes": {
            "ami": "ami-%017x",
            "arn": "arn:aws:ec2:eu-west-1:123456789012:instance/i-%s",
            "associate_public_ip_address": false,
            "availability_zone": "eu-west-1a",
            "credit_specification": [{"cpu_credits": "standard"}],
            "disable_api_termination": false,
            "ebs_optimized": true,
            "id": "i-%s",
            "instance_type": "m5.large",
            "private_dns": "ip-10-0-%d-%d.eu-west-1.compute.internal",
            "private_ip": "10.0.%d.%d",
            "root_block_device": [{"delete_on_termination": true, "encrypted": true, "iops": 3000, "volume_id": "vol-%017x", "volume_size": 50, "volume_type": "gp3"}],
            "subnet_id": "subnet-%017x",
            "tags": {"Name": "web-%d", "environment": "prod", "owner": "platform"},
            "vpc_security_group_ids": ["sg-%017x"]
          },
          "sensitive_attributes": [],
          "private": "%x%x"
        }
      ]
    }`, comma, i, next(), id, id, i/250, i%250, i/250, i%250, next(), next(), i, next(), next(), next())
	}
	b.WriteString("\n  ],\n  \"check_results\": null\n}\n")
	return []byte(b.String())
}

func (w *stateWorld) ask(ctx context.Context, method, project string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, w.url+project, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.SetBasicAuth("bench", w.token)
	resp, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, project, resp.Status)
	}
	return nil
}

// processorTime is what this process has used. Other work on the machine, which
// makes all else slow, does not add to it.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no reason to fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// pace has workers do something again and again, and returns how often it was
// done in a second and what each took, in milliseconds, once they are warm.
// With a rate they begin so many in a second together, and what waits because
// the one before took long counts as taking longer.
func pace(workers int, rate float64, do func(worker int) error) (reached float64, took []float64, err error) {
	began := time.Now()
	warm, end := began.Add(stateWarm), began.Add(stateWarm+stateTime)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for n := 0; ; n++ {
				start := time.Now()
				if rate > 0 {
					due := began.Add(time.Duration(float64(n*workers+worker) / rate * float64(time.Second)))
					time.Sleep(time.Until(due))
					start = due
				}
				if start.After(end) {
					return
				}
				failed := do(worker)
				ms := float64(time.Since(start).Microseconds()) / 1000
				mu.Lock()
				if failed != nil && err == nil {
					err = failed
				}
				stop := err != nil
				if start.After(warm) {
					took = append(took, ms)
				}
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	wg.Wait()
	if err == nil && len(took) == 0 {
		err = fmt.Errorf("nothing was done within %s", stateTime)
	}
	return float64(len(took)) / time.Since(warm).Seconds(), took, err
}
