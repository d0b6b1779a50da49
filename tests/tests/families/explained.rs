//! Explanations of pictures, with the tiny checkpoints: against themselves computed in other ways.

use crate::fixture::{checkpoint, content};
use crate::vision::{Expected, expected};
use atman::*;
use images::ImageProcessor;
use kernels::Operator;
use kernels::cpu::CpuExecutor;
use model::Model;
use std::collections::BTreeSet;
use std::path::PathBuf;

const ALL: [&str; 3] = ["vision-tiles", "vision-patches", "vision-whole"];

/// A model, and a question about pictures.
struct Subject {
    executor: CpuExecutor,
    model: Model,
    images: Vec<SeenImage>,
    question: Question,
}

/// The tokens of a fixture, which have no text of their own.
fn text(ids: &[u32]) -> Text {
    let mut text = Text::default();
    for id in ids {
        let own = format!("{id} ");
        let (start, end) = (text.text.len(), text.text.len() + own.len());
        text.text.push_str(&own);
        text.tokens.push(Token { id: *id, text: own, start, end, start_byte: start, end_byte: end, ..Token::default() });
    }
    text
}

fn picture(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/pictures").join(name)).unwrap()
}

fn subject(name: &str) -> Subject {
    let (checkpoint, Expected { images, ids, written, .. }) = (checkpoint(name), expected(name));
    let mut executor = CpuExecutor::new();
    let model = pollster::block_on(Model::load(&checkpoint, &mut executor, &mut |_| {})).unwrap();
    let processor = ImageProcessor::read(checkpoint.name(), checkpoint.image_processor().unwrap()).unwrap();
    let mut see =
        |name: &String| pollster::block_on(SeenImage::see(name, &picture(name), &processor, &model, &mut executor)).unwrap();
    let images: Vec<SeenImage> = images.iter().map(&mut see).collect();
    let question = Question::new(text(&ids), text(&written[..3]), images.clone(), model.config()).unwrap();
    Subject { executor, model, images, question }
}

impl Subject {
    fn explain(&mut self, settings: Settings, alternatives: &[&[u32]]) -> Explanation {
        let alternatives = alternatives.iter().map(|ids| text(ids)).collect();
        let mut explainer =
            Explainer::new(self.question.clone(), settings, alternatives, Budget::default(), &self.model).unwrap();
        pollster::block_on(async {
            explainer.begin(&self.model, &mut self.executor).await.unwrap();
            while explainer.step(&self.model, &mut self.executor).await.unwrap() {}
        });
        explainer.explanation()
    }

    fn units(&self, granularity: &Granularity, of_images: ImageGranularity) -> Vec<Unit> {
        units(&self.question, granularity, of_images).unwrap().0
    }
}

#[test]
fn sharing_changes_no_number_where_there_are_pictures() {
    for name in ALL {
        let mut subject = subject(name);
        let (model, executor, question) = (&subject.model, &mut subject.executor, &subject.question);
        let similarities = pollster::block_on(Similarities::of_input(model, executor, question.input())).unwrap();
        let (plain, with_neighbours) = (
            Suppression { factor: 0.1, ..Suppression::default() },
            Suppression {
                operator: Operator::LogAdditive,
                factor: 0.1,
                threshold: Some(Threshold::Quantile(0.7)),
                ..Suppression::default()
            },
        );
        let n_layers = model.config().n_layers;
        let (mut jobs, mut is_picture, mut n_neighbours) = (Vec::new(), Vec::new(), 0);
        for unit in units(question, &Granularity::Token, ImageGranularity::Patch).unwrap().0 {
            let mut with = unit.clone();
            with_neighbours.find_neighbours(&mut with, &similarities);
            n_neighbours += with.neighbours.len();
            let without = Job::without(&unit.positions, question.row_of(0));
            jobs.extend([plain.job(&unit, n_layers), with_neighbours.job(&with, n_layers), without]);
            is_picture.extend([unit.image.is_some(); 3]);
        }
        assert!(n_neighbours > 0);
        let mut runs = Runs::new(question.input().clone(), question.wanted(), Budget::default());
        pollster::block_on(runs.begin(model, executor)).unwrap();
        let full = jobs.iter().cloned().map(Job::unshared).collect();
        let (shared, full) = (runs.add(model, jobs).unwrap(), runs.add(model, full).unwrap());
        while pollster::block_on(runs.step(model, executor)).unwrap().is_some() {}
        let row = |job| runs.relevance(job, Score::CrossEntropy).unwrap();
        let (mut difference, mut strongest) = (0.0_f32, 0.0_f32);
        for ((a, b), is_picture) in shared.zip(full).zip(is_picture) {
            for (a, b) in row(a).into_iter().zip(row(b)) {
                difference = difference.max((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs());
            }
            if is_picture {
                strongest = row(a).into_iter().flatten().map(f32::abs).fold(strongest, f32::max);
            }
        }
        println!("{name}: {difference:e} nats; the strongest part of a picture changes {strongest} nats");
        assert!(difference < 1e-4, "{name}: {difference} nats");
        assert!(strongest > 0.1, "{name}: the pictures change {strongest} nats");
    }
}

#[test]
fn units_of_pictures_and_texts_hold_each_position_once() {
    for name in ALL {
        let subject = subject(name);
        let question = &subject.question;
        for (granularity, of_images) in
            ImageGranularity::STEPS.iter().flat_map(|of_images| Granularity::STEPS.map(|text| (text, *of_images)))
        {
            let units = subject.units(&granularity, of_images);
            let firsts: Vec<usize> = units.iter().map(|unit| unit.positions[0]).collect();
            assert!(firsts.is_sorted(), "{name}: {firsts:?}");
            let mut positions: Vec<usize> = units.iter().flat_map(|unit| unit.positions.clone()).collect();
            positions.sort_unstable();
            assert_eq!(positions, (0..question.n_positions()).collect::<Vec<_>>(), "{name}: {granularity}, {of_images}");
            for unit in &units {
                let of_picture = unit.positions.iter().filter(|position| question.image_at(**position).is_some()).count();
                let expected = if unit.image.is_some() { unit.positions.len() } else { 0 };
                assert_eq!(of_picture, expected, "{name}: {unit:?}");
                assert!(unit.image.is_none() || (!unit.sink && unit.source == Source::Prompt), "{name}: {unit:?}");
            }
            // What units of a picture show is as much as the model sees of it, and none of it twice.
            for (image, seen) in subject.images.iter().enumerate() {
                let parts = units.iter().filter_map(|unit| unit.image.as_ref()).filter(|part| part.image == image);
                let rects: Vec<PixelRect> = parts.flat_map(|part| part.rects.clone()).collect();
                let shown: f32 = rects.iter().map(area).sum();
                let whole = (seen.info.width_px * seen.info.height_px) as f32;
                let unseen = if name == "vision-patches" { (42.0_f32 / 44.0).powi(2) } else { 1.0 };
                assert!((shown / whole - unseen).abs() < 1e-4, "{name}: {of_images} shows {shown} of {whole}");
            }
        }
    }
}

fn area(rect: &PixelRect) -> f32 {
    (rect.right_px - rect.left_px) * (rect.bottom_px - rect.top_px)
}

#[test]
fn a_tile_s_positions_go_with_the_patch_that_they_show() {
    let subject = subject("vision-tiles");
    // Four tiles and the whole, each of 4 x 4 positions, after five words and one before each.
    let own = subject.question.image_positions(0);
    assert_eq!((own.len(), own[0], own[79]), (80, 6, 89));
    let units: Vec<Unit> =
        subject.units(&Granularity::Token, ImageGranularity::Patch).into_iter().filter(|unit| unit.image.is_some()).collect();
    assert_eq!(units.len(), 16);
    let unit = units.iter().find(|unit| unit.text == "image 1, row 2, column 3").unwrap();
    // In the upper right tile, its two lower rows at the left.
    let expected = [16 + 8, 16 + 9, 16 + 12, 16 + 13, 64 + 6].map(|position: usize| own[position]);
    assert_eq!(unit.positions, expected);
    let (width, height) = (97.0, 61.0);
    let rect = PixelRect { left_px: width / 2.0, top_px: height / 4.0, right_px: width * 0.75, bottom_px: height / 2.0 };
    assert_eq!(unit.image, Some(ImagePart { image: 0, rects: vec![rect] }));
    // The same positions given, half of the tile's, and those of a word beside.
    let given = |sets: Vec<Vec<usize>>| subject.units(&Granularity::Given(sets), ImageGranularity::Whole);
    let units = given(vec![expected.to_vec(), own[24..26].to_vec(), vec![own[24], 4], own.to_vec(), vec![own[64], own[69]]]);
    assert_eq!((&units[0].text, &units[0].image), (&unit.text, &unit.image));
    assert_eq!(units[1].image.as_ref().unwrap().rects, [PixelRect { bottom_px: height * 0.375, ..rect }]);
    assert_eq!(units[1].text, "image 1, row 2, column 3");
    let word = &subject.question.prompt.tokens[4].text;
    assert_eq!(
        (units[2].text.clone(), units[2].positions.clone()),
        (format!("{word}…image 1, row 2, column 3"), vec![4, own[24]])
    );
    assert_eq!(units[2].image.as_ref().unwrap().rects.len(), 1);
    assert_eq!(units[3].text, "image 1");
    assert_eq!(
        units[3].image.as_ref().unwrap().rects,
        [PixelRect { left_px: 0.0, top_px: 0.0, right_px: width, bottom_px: height }]
    );
    assert_eq!((units[4].text.as_str(), units[4].image.as_ref().unwrap().rects.len()), ("image 1, 2 patches", 2));
}

#[test]
fn an_explanation_of_pictures_and_text_has_all_that_one_of_text_has() {
    for name in ALL {
        let mut subject = subject(name);
        let settings = Settings {
            granularity: Granularity::Word,
            image_granularity: ImageGranularity::Blocks2,
            suppression: Suppression { threshold: Some(Threshold::Quantile(0.9)), factor: 0.1, ..Suppression::default() },
            faithfulness: Some(FaithfulnessSettings { random_orders: 1, seed: 3 }),
            ..Settings::default()
        };
        let target = subject.question.target.ids();
        let (one, rest) = ([target[0], (target[1] + 1) % 80], [(target[0] + 1) % 80, 4, 5]);
        let explanation = subject.explain(settings, &[&one, &rest]);
        assert!(!explanation.partial && explanation.relevance.iter().all(Option::is_some), "{name}");
        let infos: Vec<ImageInfo> = subject.images.iter().map(|image| image.info.clone()).collect();
        assert_eq!(explanation.images, infos, "{name}");
        assert!(infos.iter().all(|info| info.sha256.len() == 64 && info.width_px > 0), "{name}: {infos:?}");
        let kinds = |kind| explanation.prompt.tokens.iter().filter(|token| token.kind == kind).count();
        let n_seen: usize = subject.images.iter().map(SeenImage::n_positions).sum();
        assert_eq!(kinds(TokenKind::Image), n_seen, "{name}");
        let faithfulness = explanation.faithfulness.as_ref().unwrap();
        assert_eq!(faithfulness.n_units, explanation.units.iter().filter(|u| u.source == Source::Prompt && !u.sink).count());
        let compared: Vec<Compared> = explanation.contrasts.iter().map(|contrast| contrast.compared).collect();
        assert_eq!(compared, [Compared::OneToken, Compared::Rest], "{name}");
        for contrast in &explanation.contrasts {
            assert!(explanation.units.iter().zip(&contrast.relevance).all(|(unit, r)| unit.image.is_none() || r.is_some()));
        }
        let seeing = subject.images.iter().map(|image| image.spent().flops).sum::<u64>();
        assert!(seeing > 0 && explanation.cost.flops > seeing, "{name}");
        // An explanation is its JSON.
        let json = serde_json::to_string(&explanation).unwrap();
        assert_eq!(serde_json::from_str::<Explanation>(&json).unwrap().units, explanation.units, "{name}");
    }
}

#[test]
fn the_strongest_part_of_a_picture_is_divided_until_it_is_a_patch() {
    let mut subject = subject("vision-whole");
    let settings = Settings { refine: Some(1), ..Settings::default() };
    let explanation = subject.explain(settings, &[]);
    let mut positions: Vec<usize> =
        explanation.leaves().iter().flat_map(|unit| explanation.units[*unit].positions.clone()).collect();
    positions.sort_unstable();
    assert_eq!(positions, (0..subject.question.n_positions()).collect::<Vec<_>>());
    let children: Vec<&Unit> = explanation.units.iter().filter(|unit| unit.parent.is_some()).collect();
    for unit in &children {
        let parent = &explanation.units[unit.parent.unwrap()];
        assert!(unit.positions.iter().all(|position| parent.positions.contains(position)), "{unit:?} in {parent:?}");
    }
    // The whole picture into four blocks, one of them into four, and one of those into its four patches.
    let parts: Vec<usize> = children.iter().filter(|unit| unit.image.is_some()).map(|unit| unit.positions.len()).collect();
    let sizes: BTreeSet<usize> = parts.iter().copied().collect();
    println!("{parts:?}");
    assert_eq!((parts.len(), sizes), (12, BTreeSet::from([16, 4, 1])));
}

#[test]
fn a_region_stands_for_positions_of_its_picture() {
    let subject = subject("vision-patches");
    // Two pictures of 2 x 2 positions.
    let of = |image: usize, left: f32, right: f32| {
        let info = &subject.images[image.min(1)].info;
        let (width, height) = (info.width_px as f32, info.height_px as f32);
        let region = PixelRect { left_px: left * width, top_px: 0.0, right_px: right * width, bottom_px: height };
        subject.question.positions_of_region(image, region)
    };
    assert_eq!((of(0, 0.0, 1.0), of(0, 0.0, 0.4)), (vec![6, 7, 8, 9], vec![6, 8]));
    assert_eq!((of(1, 0.6, 1.0), of(1, 0.45, 0.5), of(2, 0.0, 1.0)), (vec![18, 20], vec![], vec![]));
    let prompt = subject.question.prompt_input(&subject.model).unwrap();
    assert_eq!(prompt, subject.question.input().slice(0..subject.question.n_prompt()));
}

#[test]
fn pictures_that_a_prompt_does_not_show_are_refused() {
    let subject = subject("vision-patches");
    let config = subject.model.config();
    let ask = |images: &[SeenImage]| {
        Question::new(subject.question.prompt.clone(), text(&[1]), images.to_vec(), config).unwrap_err().to_string()
    };
    assert_eq!(ask(&subject.images[..1]), "the prompt has 8 image positions, but the pictures fill 4");
    assert_eq!(ask(&[]), "the prompt has 8 image positions, but the pictures fill 0");
    let blind = crate::fixture::Engine::load(&checkpoint("grouped-f32")).unwrap();
    let error = Question::new(text(&[1, 2]), text(&[1]), subject.images.clone(), blind.model.config()).unwrap_err();
    assert_eq!(error.to_string(), "the prompt has 0 image positions, but the pictures fill 8");
    let mut prompt = subject.question.prompt.clone();
    prompt.tokens[8].id = 1000;
    let error = Question::new(prompt, text(&[1]), subject.images.clone(), config).unwrap_err();
    assert!(error.to_string().contains("token 1000 of the prompt is not below 96"), "{error}");
}

#[test]
fn what_is_no_picture_is_told_by_its_name() {
    let checkpoint = checkpoint("vision-whole");
    let mut subject = subject("vision-whole");
    let processor = ImageProcessor::read("m", checkpoint.image_processor().unwrap()).unwrap();
    let mut see = |model: &Model, bytes: &[u8]| {
        let seen = SeenImage::see("cat.gif", bytes, &processor, model, &mut subject.executor);
        pollster::block_on(seen).unwrap_err().to_string()
    };
    assert_eq!(see(&subject.model, b"GIF89a"), "cat.gif: this is not a picture in one of the formats PNG, JPEG and WebP");
    let blind = crate::fixture::Engine::load(&crate::fixture::checkpoint("grouped-f32")).unwrap();
    assert!(see(&blind.model, &picture("square.png")).ends_with("reads text only, no pictures"));
}

/// From a message to tokens: the template marks the place, the pictures fill it, and the tokenizer knows it.
#[test]
fn a_message_with_a_picture_becomes_image_positions() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/weights/tests/fixtures/smollm.json");
    let fixture: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut tokenizer = fixture["tokenizer_json"].clone();
    let added = tokenizer["added_tokens"].as_array_mut().unwrap();
    let mut next = added.iter().filter_map(|token| token["id"].as_u64()).max().unwrap();
    for content in ["<image>", "<fake_token_around_image>", "<global-img>"] {
        next += 1;
        added.push(serde_json::json!({"id": next, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true}));
    }
    let template = "{% for m in messages %}{{ m.role }}:{% for part in m.content %}{% if part.type == 'image' %}<image>\
                    {% else %}{{ part.text }}{% endif %}{% endfor %}{{ '\\n' }}{% endfor %}";
    let checkpoint = crate::files::open(vec![
        ("config.json", content("vision-whole", "config.json")),
        ("model.safetensors", content("vision-whole", "model.safetensors")),
        ("processor_config.json", content("vision-whole", "processor_config.json")),
        ("tokenizer.json", tokenizer.to_string().into()),
        ("chat_template.json", serde_json::json!({"chat_template": template}).to_string().into()),
    ])
    .unwrap();
    let images = subject("vision-whole").images;
    let prompt = Prompt::chat(&Turn::question(Some("Be brief."), "What is it?"), 1, &checkpoint).unwrap();
    assert_eq!(prompt.text, "system:Be brief.\nuser:<image>What is it?\n");
    let prompt = prompt.with_images(&images).unwrap();
    let text = prompt.encode(checkpoint.tokenizer().unwrap()).unwrap();
    assert_eq!(text.image_positions().len(), 64);
    let written: String =
        text.tokens.iter().filter(|token| token.kind == TokenKind::Text).map(|token| token.text.as_str()).collect();
    assert_eq!(written, "Be brief.What is it?");
    let special: Vec<&str> =
        text.tokens.iter().filter(|token| token.kind == TokenKind::Special).map(|token| token.text.as_str()).collect();
    assert_eq!(special, ["<fake_token_around_image>", "<global-img>", "<fake_token_around_image>"]);
    assert!(text.tokens.iter().all(|token| text.text[token.bytes()] == token.text));
    let error = Prompt::chat(&Turn::question(None, "What is it?"), 1, &checkpoint)
        .unwrap()
        .with_images(&[images[0].clone(), images[0].clone()]);
    assert!(matches!(error, Err(AtmanError::Places { places: 1, images: 2 })));
}
