# The image holds Tidelock and nothing else: no shell, no git, and neither
# Terraform nor OpenTofu, whose version is yours to choose. docs/docker.md says
# how to add one.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
ARG COMMIT=
ARG DATE=
RUN CGO_ENABLED=0 go build -trimpath \
      -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT} -X main.date=${DATE}" \
      -o /out/tidelock ./cmd/tidelock
# The rest of what a process expects to find.
RUN mkdir -p /out/etc/ssl/certs /out/var/lib/tidelock /out/tmp \
 && chmod 1777 /out/tmp \
 && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ \
 && echo 'tidelock:x:65532:65532:Tidelock:/var/lib/tidelock:/sbin/nologin' > /out/etc/passwd \
 && echo 'tidelock:x:65532:' > /out/etc/group \
 && chown -R 65532:65532 /out/var/lib/tidelock

FROM scratch
COPY --from=build /out/ /
USER 65532:65532
ENV PATH=/usr/local/bin:/bin \
    TIDELOCK_LISTEN=:8080 \
    TIDELOCK_DATA_DIR=/var/lib/tidelock
VOLUME /var/lib/tidelock
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=6s --start-period=20s --retries=3 CMD ["/tidelock", "healthcheck"]
ENTRYPOINT ["/tidelock"]
CMD ["serve"]
