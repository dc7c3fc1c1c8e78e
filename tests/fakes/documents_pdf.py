"""PDF files of a few words, written by hand."""


def pdf(*pages: str, title: str = "", author: str = "", created: str = "") -> bytes:
    """A PDF with a line of text a page; `created` is such as `D:20260618120000Z`. A page of "" has no text."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    about = f"/Title ({title}) /Author ({author})" + (f" /CreationDate ({created})" if created else "")
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    font = "/Resources << /Font << /F1 3 0 R >> >>"
    for number, text in enumerate(pages):
        drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] {font} /Contents {5 + 2 * number} 0 R >>",
            f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        ]
    objects.append(f"<< {about} >>")
    return _numbered(objects)


def _numbered(objects: list[str]) -> bytes:
    written, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(written))
        written += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    end = f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\nstartxref\n{len(written)}"
    return written + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{end}\n%%EOF\n".encode(
        "latin-1"
    )
