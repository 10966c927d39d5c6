/**
 * What people and machines write, in several languages. Matched whole word by whole word after folding:
 * case, accents and punctuation do not count, and `#` stands for any number. Structure decides before
 * these lists are ever read, so a phrase that is missing here makes a mail a notice and not a loss.
 */
export const WORDS = {
  /** Asks something of the reader. */
  asks: list(`
    can you, could you, would you, will you, can we, could we, shall we, should we, may i, may we,
    let me know, let us know, please confirm, please send, please review, please advise, please reply,
    please respond, please provide, please share, please check, please call, please get back, please rsvp,
    please let, please tell, please complete, please sign, please approve, please take a look, kindly,
    get back to me, get back to us, your thoughts, your feedback, your input, your opinion, your approval,
    your availability, your decision, your confirmation, your response, your answer, your sign off,
    sign off, need you to, need your, we need immediate, need clarity, need to confirm, need confirmation,
    need status, would appreciate, i would like to know, id like to know, call me, reply with,
    reply within, respond by, are you available, are you free, when can, what do you think, do you have,
    do you know, is it possible, would it be possible, wondering if, i was wondering, following up on,
    just following up, waiting for your, looking forward to your, looking forward to hearing, ask if,
    asking if, asking whether, a quick question, quick question, quick confirm, lets discuss, lets confirm,
    open to, works for me, works for you, works for everyone, action required, rsvp, response needed,
    input needed, headcount, status updates required, please call our office, call our office,
    schedule an appointment, like to reserve, standing by, können sie, könnten sie, kannst du, könntest du,
    würden sie, bitte um, bitte senden, bitte teilen, bitte bestätigen, bitte melden, bitte prüfen,
    bitte schicken, bitte geben sie, sag bescheid, geben sie mir bescheid, gib mir bescheid, rückmeldung,
    um antwort, wäre es möglich, ist es möglich, haben sie, hast du, darf ich, dürfen wir,
    ich möchte wissen, wir hätten gern, ich hätte gern, pouvez vous, pourriez vous, peux tu, pourrais tu,
    merci de, veuillez, est ce que, dites moi, dis moi, tenez moi au courant, avez vous, as tu,
    serait il possible, est il possible, puis je, dans l'attente de votre, votre avis, votre réponse,
    je voudrais savoir, j'aimerais savoir, puede usted, podría, podrías, puedes, pueden, por favor,
    me gustaría saber, quisiera saber, tiene usted, tienes, es posible, sería posible, quedo a la espera,
    espero su respuesta, avísame, avíseme, me confirma, confirme, su respuesta, tu respuesta, può,
    potrebbe, puoi, potresti, mi faccia sapere, fammi sapere, vorrei sapere, per favore, é possível,
    seria possível, poderia, pode me, gostaria de saber, por gentileza, aguardo, kunt u, kun je, zou u,
    zou je, graag uw, laat me weten, laat het me weten, alstublieft, czy, proszę, можете, могли бы,
    пожалуйста, подскажите, сообщите, можно ли
  `),
  /** Asks, in scripts that do not part words. */
  asksUnspaced: list(`
    でしょうか, ますか, ませんか, ください, 下さい, お返事, ご返信, 教えて, お願い, 吗, 嗎, 请问, 請問, 请回复, 可以吗, 주세요, 까요, 할 수 있
  `),
  /** By when. */
  deadlines: list(`
    asap, by eod, by end of day, by end of week, by tomorrow, by today, before noon, by noon, deadline,
    by #pm, by #am, by # pm, by # am, before #pm, before #am, before # pm, before # am, by # #,
    within # hours, within the hour, within # days, by monday, by tuesday, by wednesday, by thursday,
    by friday, no later than, time sensitive, urgent, urgently, immediate, immediately, critical, blocker,
    blocking, overdue, must be completed, bis montag, bis dienstag, bis mittwoch, bis donnerstag,
    bis freitag, bis morgen, bis zum, spätestens, dringend, so bald wie möglich, frist, avant le,
    avant demain, avant lundi, avant vendredi, au plus tard, dès que possible, urgente, antes del,
    antes de mañana, a más tardar, lo antes posible, cuanto antes, entro il, até, срочно, до пятницы
  `),
  /** An invitation by a person, or small talk that wants an answer. */
  invitations: list(`
    join us, join me, join him, come along, come over, you are invited, would love to, would love for you,
    want to, how about, what about, are you in, youre in, if you are in, lets, catch up, grab coffee,
    for dinner, for lunch, birthday, wedding, reunion, game night, works for, let me know, wanted to share,
    looking forward to it, so excited, hey everyone, hey friends, hey, miss you, einladung, laden wir,
    lade dich, lade ich, kommst du, kommt ihr, geburtstag, hochzeit, invitons, t'inviter, vous inviter,
    anniversaire, mariage, on se voit, viens, te invito, le invito, invitarte, invitarle, cumpleaños, boda,
    nos vemos
  `),
  /** Says itself that it wants no answer. */
  noAnswer: list(`
    no action required, no action is required, no action needed, no immediate action, no action necessary,
    no need to reply, no need to respond, no need to answer, no reply needed, no reply necessary,
    no response needed, no response required, no response is needed, nothing for you to do, no manual,
    without requiring, this is a status update only, status update only, keine antwort nötig,
    keine antwort erforderlich, keine aktion erforderlich, kein handlungsbedarf, nur zur information,
    nur zur kenntnis, du musst nicht antworten, sie müssen nicht antworten, pas besoin de répondre,
    aucune action requise, aucune réponse nécessaire, inutile de répondre, no hace falta responder,
    no es necesario responder, no se requiere ninguna acción, no requiere respuesta, non serve rispondere,
    nessuna azione richiesta, não é necessário responder, geen antwoord nodig, отвечать не нужно, 返信不要,
    返信は不要
  `),
  /** Tells something. */
  tells: list(`
    fyi, for your information, for your records, for your awareness, for visibility, wanted visibility,
    heads up, quick update, status update, status check, just wanted to flag, wanted to flag,
    wanted you aware, sharing key updates, informational update, update only, org update, policy update,
    process update, process rollout, wanted to let you know, just letting you know, please note,
    please be aware, is a reminder, friendly reminder, reminder that, scheduled maintenance,
    maintenance window, has been updated, have been updated, we have updated, weve updated, on track,
    remains on schedule, remain on track, confirmed, summary, snapshot, minutes of, no delays,
    no anticipated, went live, are now live, is now live, rolled out, rollout, at your convenience,
    this wont block, will send, ill send, wanted to share this, our latest, weekly report, monthly report,
    zur information, zur kenntnis, zu ihrer information, zur info, wir informieren, erinnerung, hinweis,
    wartungsarbeiten, pour information, à titre d'information, pour info, nous vous informons, rappel,
    para su información, para tu información, le informamos, os informamos, recordatorio, aviso,
    per conoscenza, la informiamo, para seu conhecimento, ter informatie, ter info, к сведению
  `),
  /** Courtesies that sound like requests and are none. */
  courtesies: list(`
    if you have any questions, if you have questions, let me know if you have any questions,
    let me know if you have questions, let me know if you need, please reach out if, please feel free to,
    feel free to, do not hesitate, dont hesitate, happy to walk, happy to discuss, happy to provide,
    if anything changes, please plan, please find, please note, please flag any, please contact,
    let me know if you have any, can be found, should you have any questions, bei fragen, bei rückfragen,
    zögern sie nicht, bitte beachten, bitte wenden, si vous avez des questions, n'hésitez pas,
    pour toute question, si tiene alguna pregunta, si tienes alguna pregunta, no dude en, no dudes en,
    veuillez trouver, veuillez noter
  `),
  /** A machine's answer while somebody is away, when no header says so. */
  away: list(`
    auto reply, automatic reply, out of office, out of the office, autoreply, automatische antwort,
    abwesenheitsnotiz, abwesenheit, nicht im büro, réponse automatique, absent du bureau,
    respuesta automática, fuera de la oficina, risposta automatica, resposta automática, afwezig,
    автоответ, 自動返信, 不在通知, 自动回复
  `),
  /** Sells, plainly. */
  sells: list(`
    #% off, #% discount, off your, special offer, exclusive offer, limited time, limited offer, flash sale,
    flash deal, flash discount, promo code, coupon, coupons, buy now, shop now, order now, book a demo,
    free trial, unsubscribe, view in browser, view this email in your browser, manage your preferences,
    email preferences, update your preferences, newsletter, black friday, cyber monday, best price,
    lowest price, sponsorship, sponsor tier, sponsorship tier, sponsor slot, quote expires, upgrade now,
    upgrade today, our new membership, exclusive discount, exclusive discounts, promotional, early access,
    preferred pricing, new arrivals, liked your post, liked your recent post, people liked,
    started following you, people viewed your profile, see who liked, trending now, recommended for you,
    picked just for you, rabatt, sonderangebot, nur für kurze zeit, jetzt kaufen, jetzt bestellen,
    abbestellen, abmelden, gutschein, gutscheincode, schnäppchen, im browser ansehen, soldes,
    offre spéciale, offre exclusive, durée limitée, code promo, se désabonner, désinscrire, achetez,
    profitez, oferta especial, oferta exclusiva, por tiempo limitado, código promocional, descuento,
    descuentos, darse de baja, cancelar suscripción, compra ahora, rebajas, sconto, offerta speciale,
    disiscriviti, desconto, promoção, cancelar inscrição, korting, aanbieding, uitschrijven, скидка,
    скидки, отписаться, 配信停止, 割引, セール
  `),
  /** Belongs to selling, and to honest business too. */
  sellsPerhaps: list(`
    offer, offers, deal, deals, discount, discounts, pricing, webinar, webinars, workshop package,
    expires today, expires, closing today, closes today, closes at, last chance, act now, act fast,
    sign up, lock in, early bird, introducing, membership, subscribe, licenses, savings, save up to,
    rate locked, exclusive, premium, curated, slots, your spot, your slot, your seat, reserved seat,
    hold your place, peer companies, other vendors, solutions, i noticed your team, i noticed that your,
    reaching out directly, our platform, our product, our suite, our solution, roi, personally invite,
    new courses, explore new, guaranteed, money back, no obligation, case study, white paper, whitepaper,
    congratulations, platinum, reseller, brand awareness, upsells, flexible plans, benefits of our,
    noon today, tiers, your quote, angebot, angebote, aktion, nur heute, gratis, offre, offres, gratuit,
    oferta, ofertas, aujourd'hui seulement, solo hoy
  `),
  /** Asks for what nobody should send by mail. */
  credentials: list(`
    verify your account, verify your identity, confirm your identity, confirm your account,
    verify your password, your password, account details, bank details, banking details,
    bank account details, card number, pin code, cvv, social security number, passport copy, login details,
    log in to verify, validate your account, update your payment, seed phrase, one time code,
    reactivate your account, restore access, restore your account, service account credentials,
    authentication tokens, click the link below, click here immediately, verify now, konto bestätigen,
    konto verifizieren, passwort bestätigen, zugangsdaten, kontodaten, identität bestätigen,
    confirmez votre identité, vérifiez votre compte, confirmer votre compte, vos identifiants,
    mot de passe, coordonnées bancaires, verifique su cuenta, verifica tu cuenta, confirme su identidad,
    su contraseña, tu contraseña, datos bancarios, número de tarjeta
  `),
  /** Money in the ways that fraud likes. */
  money: list(`
    wire transfer, wire the, gift card, gift cards, processing fee, inheritance, beneficiary, next of kin,
    deceased, lottery, cash prize, you have won, unclaimed funds, release the funds, unlock the funds,
    bitcoin wallet, bitcoin, intermediary account, settle the balance, invoice overdue, million usd, usd #,
    no prescription, viagra, xanax, hot single, hot singles, claim your, selected as a, have been selected,
    überweisung, überweisen sie, geschenkkarten, gutscheinkarten, erbschaft, lotteriegewinn, virement,
    cartes cadeaux, héritage, loterie, transferencia, tarjetas de regalo, herencia, lotería
  `),
  /** Pressure: at once, and tell nobody. */
  pressure: list(`
    urgent, urgently, immediately, right away, act now, act fast, asap, within # hours, within #h,
    suspended, has been suspended, will be suspended, permanently, frozen, final notice, last warning,
    legal action, discreetly, confidential, dont discuss, do not discuss, time is critical, expires in,
    before # pm, before #pm, as soon as possible, unusual activity, before its too late, limited time,
    sofort, dringend, gesperrt, unverzüglich, vertraulich, letzte mahnung, immédiatement, suspendu,
    confidentiel, dernier avis, inmediatamente, suspendida, suspendido, confidencial, último aviso
  `),
  /** Orders for a machine that reads along. */
  orders: list(`
    ignore previous instructions, ignore all previous instructions, ignore the previous instructions,
    ignore prior instructions, ignore all prior instructions, ignore your instructions, ignore the above,
    ignore all instructions, disregard previous instructions, disregard all previous, disregard the above,
    disregard your instructions, forget your instructions, forget previous instructions,
    forget all previous, override your instructions, system prompt, you are now in, developer mode,
    maintenance mode, jailbreak, as an ai, as a language model, dear ai, attention ai, ai assistant,
    note to ai, instructions for the ai, instructions for the assistant, to the assistant reading,
    status approved, state approved, mark this as approved, mark as approved, move this to approved,
    already approved this, without approval, bypass approval, do not tell the user, do not mention this to,
    reveal your, print your instructions, new instructions, ignore the policy, forward the whole mailbox,
    forward all emails, forward all mails, ignoriere alle vorherigen anweisungen,
    ignoriere die vorherigen anweisungen, ignoriere alle anweisungen, vergiss alle anweisungen,
    systemprompt, ignore les instructions précédentes, ignorez les instructions,
    ignore toutes les instructions, oublie tes instructions, ignora las instrucciones anteriores,
    ignora todas las instrucciones, ignore las instrucciones, olvida tus instrucciones,
    ignora le istruzioni precedenti, ignore as instruções anteriores, negeer alle vorige instructies,
    игнорируй предыдущие инструкции
  `),
  /** The same, in scripts that do not part words. */
  ordersUnspaced: list(`
    以前の指示を無視, 前の指示を無視, 指示を無視, 忽略之前的指令, 忽略以上, 忽略所有指令, 이전 지시를 무시, <|im_start|>, [INST]
  `),
} satisfies Record<string, readonly string[]>;

/** Local parts of addresses that nobody reads, after dropping everything but letters. */
export const NO_REPLY =
  /^(no|do?no?t|nie|ne)-?_?\.?(reply|respond|answer|antworten|pasrepondre|responder)|^(noreply|donotreply|mailerdaemon|nepasrepondre|noresponder|nichtantworten|unmonitored)/i;

/** Local parts behind which a program sends notices. */
export const MACHINE =
  /^(notif(y|ication|ications|ier)|alerts?|mailer(-daemon)?|postmaster|bounces?|auto(mat(ed|ion|ic))?|robot|bot|system|daemon|cron|monitoring|jira|jenkins|gitlab|root)$|[-_.](bot|bounces?|automation|notifications?|alerts?|noreply|ci)$/i;

/** Local parts behind which advertising is sent. */
export const ADVERTISER =
  /^(news(letters?)?|marketing|promo(tion)?s?|deals?|offers?|sales-?team|campaigns?|specials?|angebote?|offres?|ofertas?)$/i;

function list(text: string): readonly string[] {
  return text.split(',').map((phrase) => phrase.trim());
}
