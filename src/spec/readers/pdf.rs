//! The text of a PDF.

/// The text of a PDF, page after page, a heading for each.
///
/// The parser is not made for files that mean harm: it panics, and takes memory as it likes. So this is called by a
/// program of its own with limits, which is what `drogue read-pdf` is; nobody else may call it.
///
/// # Errors
/// Where the file is broken, locked, or holds pictures alone.
pub fn pdf_text(bytes: &[u8]) -> Result<String, String> {
    let pages = pdf_extract::extract_text_from_mem_by_pages(bytes).map_err(|why| why.to_string())?;
    if pages.iter().all(|page| page.trim().is_empty()) {
        return Err("it holds no text; pictures of pages are not read".to_owned());
    }
    let pages = pages.iter().enumerate();
    Ok(pages.map(|(index, page)| format!("# Page {}\n\n{}\n\n", index + 1, page.trim())).collect())
}
