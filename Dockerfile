# An image with the relay and nothing else: no shell, no libraries. It runs as user 65532.
#
#   docker build --tag sealwire-relay .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges --publish 127.0.0.1:7440:7440 \
#     --volume ./relay.toml:/etc/sealwire/relay.toml:ro sealwire-relay
#
# See docs/operating.md; deploy/compose runs the relay behind Caddy.

# The slim image lacks make, which jemalloc needs.
FROM rust:1.95.0-trixie AS build
WORKDIR /src
COPY . .
# The binary is linked statically and needs only the kernel. The target is named explicitly so that the flag applies to the
# binary and not to build scripts and procedural macros.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    target="$(rustc --print host-tuple)" \
    && RUSTFLAGS="-C target-feature=+crt-static" \
       cargo build --release --locked --package sealwire-relay --features jemalloc --bin sealwire-relay --target "$target" \
    && install -D "target/$target/release/sealwire-relay" /out/sealwire-relay

FROM scratch
COPY --from=build /out/sealwire-relay /usr/local/bin/sealwire-relay
USER 65532:65532
# Clients of a container are always on another machine, so the image assumes a proxy in front that terminates TLS.
ENV SEALWIRE_RELAY_CONFIG=/etc/sealwire/relay.toml \
    SEALWIRE_RELAY_LISTEN=0.0.0.0:7440 \
    SEALWIRE_RELAY_PROXY_TERMINATES_TLS=true \
    SEALWIRE_RELAY_LOG_FORMAT=json
EXPOSE 7440
HEALTHCHECK --interval=15s --timeout=5s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/sealwire-relay", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/sealwire-relay"]
CMD ["run"]
