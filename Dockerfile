# The relay in an image that holds nothing else: no shell, no library, nobody but the user 65532.
#
#   docker build --tag sealwire-relay .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges --publish 127.0.0.1:7440:7440 \
#     --volume ./relay.toml:/etc/sealwire/relay.toml:ro sealwire-relay
#
# docs/operating.md says more; deploy/compose runs it behind Caddy.

FROM rust:1.95.0-slim-trixie AS build
WORKDIR /src
COPY . .
# Linked statically, the binary needs nothing of the system but its kernel. The target is named so that only what ends up
# in the binary is linked so, and not the compiler's own plug-ins.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    target="$(rustc --print host-tuple)" \
    && RUSTFLAGS="-C target-feature=+crt-static" \
       cargo build --release --locked --package sealwire-relay --bin sealwire-relay --target "$target" \
    && install -D "target/$target/release/sealwire-relay" /out/sealwire-relay

FROM scratch
COPY --from=build /out/sealwire-relay /usr/local/bin/sealwire-relay
USER 65532:65532
# Inside a container every address but its own is another machine's, so the proxy in front is taken for granted.
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
