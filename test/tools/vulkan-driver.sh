#!/usr/bin/env bash
# Puts SwiftShader, a Vulkan driver that computes on the CPU, into .local/vulkan, where the WebGPU tests look for it. It is taken out of
# Debian's chromium-common, which is not installed: that would bring half of a desktop. Needs `apt-get update` to have been run.
set -euo pipefail
cd "$(dirname "$0")/../.."
package=$(mktemp -d)
trap 'rm -rf "$package"' EXIT
(cd "$package" && apt-get download -qq -o APT::Sandbox::User=root chromium-common)
mkdir -p .local/vulkan
dpkg-deb --fsys-tarfile "$package"/chromium-common_*.deb |
  tar -x -C .local/vulkan --strip-components=4 ./usr/lib/chromium/{libvulkan.so.1,libvk_swiftshader.so,vk_swiftshader_icd.json}
