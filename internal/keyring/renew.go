package keyring

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	vault "github.com/hashicorp/vault/api"
)

// renewEvery is how often tokens are looked at.
const renewEvery = 30 * time.Second

// leased is a key that is used with a token that ends.
type leased interface {
	Key
	// renew makes the token last longer where that is due and can be. It returns
	// how long it lasts then, of how long a life; 0 of 0 where it never ends.
	renew(ctx context.Context) (left, of time.Duration, err error)
}

// Keep renews the tokens that the keys are used with until ctx ends. It logs
// where one is about to end or can't be looked at: once, and once when that is
// over. It returns at once where no key needs a token.
//
// A token that Vault's agent keeps is replaced by that in time; one that a
// person put there is renewed here, as far as Vault lets it be.
func (r *Ring) Keep(ctx context.Context, log *slog.Logger) {
	var keys []leased
	for _, id := range r.IDs() {
		if k, ok := r.keys[id].(leased); ok {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return
	}
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	told := map[string]bool{}
	for {
		for _, k := range keys {
			left, of, err := k.renew(ctx)
			if ctx.Err() != nil {
				return
			}
			soon := left < of/10
			switch ill := err != nil || soon; {
			case ill == told[k.ID()]:
				continue
			case err != nil:
				log.Warn("the token of a key is of no use now", "key", k.ID(), "error", err)
			case soon:
				log.Warn("the token of a key ends soon and can't be renewed: put another in its place", "key", k.ID(), "left", left.Round(time.Second))
			default:
				log.Info("the token of a key is well again", "key", k.ID())
			}
			told[k.ID()] = !told[k.ID()]
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (k *vaultKey) renew(ctx context.Context) (left, of time.Duration, err error) {
	answer, err := k.ask(ctx, "look at its own token", func(ctx context.Context) (*vault.Secret, error) {
		return k.client.Auth().Token().LookupSelfWithContext(ctx)
	})
	if err != nil || answer == nil {
		return 0, 0, err
	}
	left, of = seconds(answer.Data["ttl"]), seconds(answer.Data["creation_ttl"])
	if renewable, _ := answer.Data["renewable"].(bool); !renewable || left >= of/2 {
		return left, of, nil
	}
	answer, err = k.ask(ctx, "renew its own token", func(ctx context.Context) (*vault.Secret, error) {
		return k.client.Auth().Token().RenewSelfWithContext(ctx, int(of/time.Second))
	})
	if err == nil && answer != nil && answer.Auth != nil {
		left = time.Duration(answer.Auth.LeaseDuration) * time.Second
	}
	return left, of, err
}

func seconds(v any) time.Duration {
	n, _ := v.(json.Number)
	s, _ := n.Int64() // 0 where it is none
	return time.Duration(s) * time.Second
}
