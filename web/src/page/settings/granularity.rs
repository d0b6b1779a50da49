//! What gets one score.

use crate::page::actions::page;
use atman::Granularity;
use leptos::prelude::*;

/// Named granularities, or a delimiter or pattern of one's own.
#[component]
pub(super) fn GranularitySetting() -> impl IntoView {
    let settings = page().state.settings;
    let problem = RwSignal::new(None::<String>);
    let kind = Memo::new(move |_| settings.with(|settings| settings.granularity.to_string()));
    let name = move || kind.get().split(':').next().unwrap_or_default().to_owned();
    let own = move || kind.get().split_once(':').map(|(_, text)| text.to_owned()).unwrap_or_default();
    let set = move |text: String| match text.parse::<Granularity>() {
        Ok(granularity) => {
            problem.set(None);
            settings.update(|settings| settings.granularity = granularity);
        }
        Err(error) => problem.set(Some(error.to_string())),
    };
    let choose = move |event| {
        let chosen = event_target_value(&event);
        set(match chosen.as_str() {
            "custom" => "custom:;".to_owned(),
            "regex" => "regex:[.;]".to_owned(),
            _ => chosen,
        });
    };
    let write = move |event| set(format!("{}:{}", name(), event_target_value(&event)));
    let option = |value: &'static str, text: &'static str| {
        view! { <option value=value prop:selected=move || name() == value>{text}</option> }
    };
    let help = move || match name().as_str() {
        "auto" => "What gets one score: whatever comes nearest to 30 units.",
        "token" => "What gets one score: each token, the pieces that the model reads text in.",
        "word" => "What gets one score: each word.",
        "sentence" => "What gets one score: each sentence. Good for documents.",
        "paragraph" => "What gets one score: each paragraph.",
        "custom" => "What gets one score: what stands between two of these.",
        _ => "What gets one score: what stands between two matches of this pattern.",
    };
    view! {
        <div class="setting">
            <label for="granularity">"Granularity"</label>
            <select id="granularity" aria-describedby="granularity-help" on:change=choose>
                {option("auto", "automatic")}
                {option("token", "tokens")}
                {option("word", "words")}
                {option("sentence", "sentences")}
                {option("paragraph", "paragraphs")}
                {option("custom", "a delimiter")}
                {option("regex", "a pattern")}
            </select>
            <Show when=move || matches!(name().as_str(), "custom" | "regex")>
                <input type="text" aria-label="Delimiter or pattern" spellcheck="false" prop:value=own on:change=write/>
            </Show>
            <p class="help" id="granularity-help">{help}</p>
            {move || problem.get().map(|problem| view! { <p class="error" role="alert">{problem}</p> })}
        </div>
    }
}
