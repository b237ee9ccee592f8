# An example of the server's configuration. Lines that are commented out show
# the default, or a value to think of. docs/configuration.md tells all of it.

listen   = "127.0.0.1:8080" # ":8080" for a container
data_dir = "/var/lib/tidelock"

# public_url = "https://tidelock.example.com" # comments link there

# SQLite in data_dir unless you say otherwise. A database with a password is
# given by $TIDELOCK_DATABASE or by a file of its own.
# database      = "postgres://tidelock@db.example.com:5432/tidelock"
# database_file = "secrets/database"

# Made at the first start. Keep a copy apart from the database's backup.
# encryption_key_file = "/var/lib/tidelock/encryption.key"

github {
  app_id              = 123456
  private_key_file    = "secrets/github-app.pem"
  webhook_secret_file = "secrets/webhook.secret"

  # api_url      = "https://github.example.com/api/v3" # GitHub Enterprise Server
  # write_burst    = 20
  # write_interval = "1s"
  # sweep_interval = "2m"
  # reconcile_interval = "4m"
}

terraform {
  # binary          = "tofu" # else terraform, else tofu, from PATH

  # Projects that ask for another version, by required_version or by a file such
  # as .terraform-version, get one of these, else one that is downloaded.
  # tools_dirs             = ["/home/ops/.tenv"]
  # tool                   = "terraform" # of projects that name neither
  # download               = true
  # releases_url           = "https://mirror.example.com/hashicorp"
  # opentofu_releases_url  = "https://mirror.example.com/opentofu"

  # provider_allow  = ["registry.terraform.io/hashicorp/*"] # all, unless you name some
  # provider_network_mirror = "https://mirror.example.com/providers/"
  # provider_store_max_age  = "2160h"
  # provider_store_max_size = 20480 # MiB
  # terragrunt      = "terragrunt" # for its units, from PATH
  # provider_mirror = "/var/lib/tidelock-providers"
  # provider_direct = true
  # parallel        = 0 # plans at once; 0 is one for each core
  # memory          = 0 # MB for all runs together; 0 is what is free
  # run_memory      = 512 # MB for a run of which nothing is known yet

  # Names of the server's variables that runs may see. Whoever may open a pull
  # request can read them.
  env = ["AWS_REGION"]
  # allow_hooks = false     # run what a repository's tidelock.hcl names as hooks
  # project_env = ["AWS_PROFILE"] # what a repository's tidelock.hcl may set

  # sandbox         = "auto"  # or "strict", or "off"
  # sandbox_read    = ["/etc/tidelock/gcp.json"] # more that every run may read
  # sandbox_write   = []
  # sandbox_network = "allow" # "deny": plans get no network after init
  # memory_limit    = 8192    # MB of each process; 0 for none, as below
  # max_processes   = 1000    # of a run
  # disk_limit      = 10240   # MB that a run writes
  # cpu_limit       = "0s"    # processor time of each process of a plan, such as "10m"

  # plan_timeout  = "1h"
  # apply_timeout = "4h"
  # grace         = "30s"
  # reuse_plans   = "1h"  # how long a plan stands for later commits that change nothing of it
  # keep_trees    = "24h" # work trees of open pull requests, since their last use
}

# A secret that repositories may ask for by its name. Its value never stands
# here; docs/workflows.md#secrets has more of it.
secret "shop-db" {
  file  = "/run/secrets/shop-db" # or env = "SHOP_DB", or command = ["vault", …]
  repos = ["acme/shop"]
  # clients = ["acme"]
  # phases  = ["apply"] # not for plans, which run code nobody has reviewed
}

# What holds for a repository whose own tidelock.hcl says nothing else.
defaults {
  lock               = "plan" # "plan", "apply" or "off"
  apply_on_merge     = true
  apply_before_merge = false
  # auto_merge         = false # needs apply_before_merge
  # merge_method       = "merge"
  # required_approvals = 0
  # delete_branch      = false # after auto_merge

  # auto_plan   = true  # otherwise only the command plan plans
  # plan_drafts = false
  # commands    = ["plan", "apply", "unlock"] # all, unless you name some

  # project_checks     = false # a check for each project
  # quiet_unchanged    = false # no comment where nothing changes
  # comment_per_commit = false # a new comment for each commit
  # split_comments     = false # long plans go on in further comments
}

# What has to be so before an apply; docs/gates.md tells of all there is. The
# same block for "plan" and "destroy". A repository can only tighten it.
gate "apply" {
  mergeable = true
  # approvals   = 2
  # code_owners = true
  # checks      = ["ci/*"] # "*" is all of them
  # up_to_date  = true
  # policies    = true # always so on the server
  # max_monthly_cost_increase = 500 # USD
  # labels         = ["approved-by-finance"]
  # without_labels = ["do-not-apply"]
  # role  = "maintain"
  # users = ["alice"]
  # teams = ["acme/platform"]

  rule "no-friday" {
    when    = "now.getDayOfWeek('Europe/Berlin') != 5 || plan.delete == 0"
    message = "Nothing is destroyed on a Friday."
  }
}

# What of a repository becomes a work tree.
checkout {
  # submodules      = false # true: fetched for repositories that ask for it
  # submodule_hosts = ["gitlab.com"] # besides GitHub's own
}

mirrors {
  # max_age  = "1440h" # copies of repositories that were not used for so long are deleted
  # max_size = 51200   # MiB of all together
}

# When projects are compared with what is really there, where a repository's own
# tidelock.hcl says nothing else.
drift {
  # schedule  = "0 6 * * 1-5" # never, unless you say when
  # timezone  = "Europe/Vienna"
  # remediate = "issue" # or "pull", or "off"
  # keep      = "2160h"
}

state {
  # max_size      = 256 # MiB of one state
  # max_states    = 0   # of each client
  # max_total     = 0   # MiB of each client, with all versions
  # keep_versions = 100 # of each state, and more while they are younger than
  # keep_age      = "2160h"
}

# Plans, logs and large states: a folder in data_dir unless you name a bucket.
blobs {
  # url = "s3://acme-tidelock?region=eu-central-1" # or gs://, azblob://
}

# A copy of the SQLite database elsewhere that follows each commit.
replica {
  # url = "s3://acme-tidelock?region=eu-central-1&prefix=replica/"
}

policy {
  required_tags = ["owner", "environment"]
  # levels = { "security.aws" = "mandatory" } # or "advisory", "hard", "off"
  # disabled = false
  # owners   = ["acme/security"] # who may accept findings with approve-policies
  # waiver_max = "2160h" # and for how long beyond one plan
  # admin_repo       = "acme/policies" # whose policies.hcl has the blocks below too
  # admin_ref        = "main"
  # admin_may_loosen = false # below what this file says
}

# What judges which project, beside the rules that come with Tidelock: see
# docs/policies.md. Packs come from folders, git, OPA bundles and registries.
# policy_pack "acme"  { path = "/etc/tidelock/policies" }
# policy_pack "cloud" { oci  = "ghcr.io/acme/policies:1.2" }

environment "production" {
  dirs = ["live/prod/**"]
}

policy_scope "production" {
  environments = ["production"]
  levels       = { "destruction.stateful" = "mandatory" }
  # settings    = { "tagging.required" = ["owner", "environment", "cost-centre"] }
  # owners      = ["acme/security"]
  # owner_count = 2
}

# Whose charges are whose in the exports that tidelock cost import reads: see
# docs/cost.md.
billing "acme" {
  accounts = ["111122223333"]
  # tags        = { client = "acme" } # in accounts of several clients
  # project_tag = "tidelock:project"
}

cost {
  # engine             = "tidelock" # or "infracost", which runs its command
  # infracost_path     = "infracost"
  # infracost_secret   = "infracost-key" # the secret block with its API key
  # infracost_endpoint = "https://prices.example.com" # a Cloud Pricing API of your own
  # currency        = "USD"
  # hours_per_month = 730
  # sustained_use   = false
  # usage_file      = "usage.yml" # what resources are used, for all that nobody says more closely

  # What is taken off list prices: of a service, a cloud or everything.
  discount {
    cloud   = "aws"
    service = "ec2"
    percent = 12
  }

  # What a dollar is worth; the last one that is not after today counts.
  rate "EUR" {
    rate   = 0.92
    day    = "2026-11-20"
    source = "ECB"
  }

  client "acme" {
    currency = "EUR" # and usage_file, as above
    discount {
      cloud   = "azure"
      percent = 7.5
      since   = "2026-01-01"
    }
  }

  # Price lists that the server reads by itself.
  refresh {
    every = "24h"
    aws {
      regions = ["eu-central-1", "eu-west-1"]
    }
    azure {
      currencies = ["USD", "EUR"]
    }
    # gcp { key_secret = "google-prices" }
  }
}

log {
  # level  = "info"
  # format = "text"
}

web {
  # enabled       = true
  # password_file = "secrets/web.password"
}

metrics {
  # listen     = "127.0.0.1:9464" # off without one
  # token_file = "secrets/metrics.token" # where other machines reach it
  # without_token = false
  # clients       = false
}

# What projects may cost a month, and who approves what goes over it.
budget "acme-prod" {
  client = "acme"
  amount = "5000.00" # of cost.currency, where currency says nothing else

  thresholds {
    percent   = [50, 80, 100]
    projected = [100]
  }
  owners {
    teams = ["acme/finance"]
  }
}
